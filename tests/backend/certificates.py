"""Certificates for tests: an authority, and servers it vouches for, or should not."""
import pathlib
import ssl
import subprocess

KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")

# name -> authority, names it is for, days it is good for
SERVERS = {
    "good": ("ca", "DNS:localhost,IP:127.0.0.1", 2),
    "expired": ("ca", "DNS:localhost,IP:127.0.0.1", -1),
    "other_host": ("ca", "DNS:backend.example.com", 2),
    "other_ca": ("other-ca", "DNS:localhost,IP:127.0.0.1", 2),
}


def openssl(directory, *words):
    done = subprocess.run(["openssl", *words], cwd=directory, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    if done.returncode:
        raise RuntimeError(f"openssl {' '.join(words)}: {done.stderr}")


def leaf(directory, name, authority, names, days):
    directory = pathlib.Path(directory)
    (directory / f"{name}.ext").write_text(f"subjectAltName={names}\nbasicConstraints=CA:FALSE\n")
    openssl(directory, "req", *KEY, "-subj", f"/CN={name}", "-keyout", f"{name}-key.pem", "-out", f"{name}.csr")
    openssl(directory, "x509", "-req", "-in", f"{name}.csr", "-CA", f"{authority}.pem", "-CAkey", f"{authority}-key.pem",
            "-CAcreateserial", "-days", str(days), "-extfile", f"{name}.ext", "-out", f"{name}.pem")


def make(directory):
    """ca.pem, other-ca.pem; NAME.pem and NAME-key.pem of SERVERS, and of client."""
    for name in ("ca", "other-ca"):
        openssl(directory, "req", "-x509", *KEY, "-days", "2", "-subj", f"/CN=moonwatch test {name}", "-keyout", f"{name}-key.pem",
                "-out", f"{name}.pem")
    for name, (authority, names, days) in SERVERS.items():
        leaf(directory, name, authority, names, days)
    leaf(directory, "client", "ca", "DNS:client", 2)


def contexts(directory, wants_client=False):
    """name -> ssl.SSLContext of a server."""
    directory = pathlib.Path(directory)
    made = {}
    for name in SERVERS:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.set_alpn_protocols(["http/1.1"])
        context.load_cert_chain(directory / f"{name}.pem", directory / f"{name}-key.pem")
        if wants_client:
            context.load_verify_locations(directory / "ca.pem")
            context.verify_mode = ssl.CERT_REQUIRED
        made[name] = context
    return made

"""What is around the task: its network, the sensor's image, a backend, and an attacker."""
import http.server
import json
import os
import pathlib
import socket
import subprocess
import sys
import threading
import time
import urllib.request

HERE = pathlib.Path(__file__).parent
ROOT = HERE.parents[1]
# The task's own address, on its network interface; AWS, by an endpoint in the VPC; and somebody on the Internet.
TASK, VPC_ENDPOINT, ATTACKER = "10.0.3.17", "10.0.0.100", "203.0.113.66"
BASE = "localhost/moonwatch-demo:base"
PATIENCE_S = 20

opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class Failed(Exception):
    """A step did not happen."""


class Impossible(Exception):
    """What it takes is not to be had here."""


def run(*words, timeout=60):
    done = subprocess.run([str(word) for word in words], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          text=True, timeout=timeout, check=False)
    if done.returncode:
        raise Failed(f"{' '.join(map(str, words[:3]))} … ended with {done.returncode}: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout


def until(what, wanted):
    """What `wanted` gives, once it gives something."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        value = wanted()
        if value:
            return value
        if time.monotonic() > deadline:
            raise Failed(f"{what} did not come in {PATIENCE_S} s")
        time.sleep(0.05)


def prepare_network(addresses, name):
    """All addresses are this namespace's own; `name` is a file by which it can be named."""
    run("ip", "link", "set", "lo", "up")
    for address in addresses:
        run("ip", "address", "add", f"{address}/32", "dev", "lo")
    name.touch()
    run("mount", "--bind", "/proc/self/ns/net", name)


def try_podman(podman, options):
    try:
        run(*podman, "run", "--rm", *options, BASE, "true")
    except Failed as failure:
        raise Impossible(f"podman starts no container: {failure}") from failure


def build_sensor(podman, directory, name):
    """The sensor's image, of directory/tree; what it is made from."""
    text, start = (ROOT / "container/Dockerfile").read_text(), "scratch"
    if not is_static(directory / "tree/bin/moonwatch"):
        start = BASE  # where its libraries are
        text = text.replace("FROM scratch", "FROM " + start)
    (directory / "Dockerfile").write_text(text)
    run(*podman, "build", "--quiet", "--pull=never", "--network=none", "--tag", name, "--file", directory / "Dockerfile", directory / "tree")
    return start


def is_static(program):
    """Has it no interpreter (elf(5): the dynamic loader's path is near the beginning)?"""
    with open(program, "rb") as file:
        return b"/ld-" not in file.read(4096)


class Backend:
    """tests/backend, a program of its own."""

    def __init__(self, directory, secret):
        directory.mkdir()
        self.directory, ready = directory, directory / "ready.json"
        with open(directory / "log", "wb") as log:
            process = subprocess.Popen([sys.executable, "-B", ROOT / "tests/backend/server.py", directory], stdin=subprocess.DEVNULL,
                                       stdout=log, stderr=log)
        until("the backend", lambda: ready.exists() or process.poll() is not None)
        if not ready.exists():
            raise Failed("the backend did not start: " + (directory / "log").read_text())
        told = json.loads(ready.read_text())
        self.hostname = f"localhost:{told['port']}"
        self.control = f"http://127.0.0.1:{told['control']}"
        self.ask("set", secrets=[secret])

    def ask(self, word, **more):
        body = json.dumps({"do": word, **more}).encode()
        with opener.open(urllib.request.Request(self.control, body), timeout=PATIENCE_S + 40) as answer:
            return json.loads(answer.read())

    def wait(self, what, count=1, **asked):
        """Records, or lines of logs, that are described."""
        told = self.ask("wait", count=count, timeout_s=PATIENCE_S, **asked)
        if not told["is_there"]:
            raise Failed(f"{what} did not come to the backend in {PATIENCE_S} s ({len(told['found'])} of {count} did)")
        return told["found"]

    def row(self, what, host, name, after=0, **columns):
        """The first row of that query's, by that host, with such columns."""
        line = {"name": name, "hostIdentifier": host, **{"columns." + column: value for column, value in columns.items()}}
        return self.wait(what, line=line, after=after)[0]["columns"]

    def alerts(self, host):
        line = {"name": "moonwatch_alerts", "hostIdentifier": host}
        return [found["columns"] for found in self.ask("wait", line=line, count=1 << 20, timeout_s=0)["found"]]

    def last(self):
        return self.ask("state")["records"]


class Attacker:
    """A machine of the Internet: it has a program to fetch, and listens for whoever runs it."""

    def __init__(self):
        self.callers = []
        program = (HERE / "attacker/update").read_bytes()

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(200)
                self.end_headers()
                self.wfile.write(program)

            def log_message(self, *_):
                pass

        server = http.server.ThreadingHTTPServer((ATTACKER, 8080), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.listener = socket.create_server((ATTACKER, 4444))
        threading.Thread(target=self.listen, daemon=True).start()

    def listen(self):
        while True:
            peer, _ = self.listener.accept()
            with peer:
                self.callers.append(peer.makefile().readline().strip())


def get(path, query=""):
    with opener.open(f"http://{TASK}{path}{query}", timeout=PATIENCE_S) as answer:
        return answer.read().decode()


def is_served():
    try:
        return get("/")
    except OSError:
        return None


def holders_of(secret):
    """Processes in whose environment it is."""
    found = []
    for path in pathlib.Path("/proc").glob("[0-9]*/environ"):
        try:
            if secret.encode() in path.read_bytes():
                found.append(path.parent.name)
        except OSError:
            pass  # it has ended, or has none
    return found


def podman_of(directory):
    os.environ["MOONWATCH_IMAGES"] = str(ROOT / "build-images/demo-ecs/images")
    return [ROOT / "container/podman", directory / "podman"]

"""The smallest client that the backend has nothing to say about; the checks of the backend change what it sends."""
import base64
import gzip
import json
import pathlib
import socket
import ssl
import time
import uuid

HOST = "6d1b0f35-5c1c-5e4c-9a55-b2f6d5f5ad07"


def details(host=HOST):
    return {
        "os_version": {"name": "Debian GNU/Linux", "version": "12 (bookworm)", "major": "12", "minor": "0", "patch": "0", "build": "",
                       "platform": "debian", "platform_like": "", "codename": "bookworm", "arch": "x86_64", "pid_with_namespace": "0"},
        "osquery_info": {"pid": "7", "uuid": host, "instance_id": host, "version": "5.23.0", "config_hash": "", "config_valid": "0",
                         "extensions": "inactive", "build_platform": "linux", "build_distro": "debian", "start_time": "1785654309",
                         "watcher": "-1", "platform_mask": "9"},
        "system_info": {"hostname": "shop/0123/web", "uuid": host, "cpu_type": "x86_64", "cpu_subtype": "", "cpu_brand": "AMD",
                        "cpu_physical_cores": "1", "cpu_logical_cores": "2", "cpu_sockets": "1", "cpu_microcode": "",
                        "physical_memory": "536870912", "hardware_vendor": "Amazon ECS", "hardware_model": "Fargate",
                        "hardware_version": "", "hardware_serial": "0123", "computer_name": "c/shop", "local_hostname": "ip-10-0-0-7"},
    }


def enrolment(secret="the enrolment secret", host=HOST):
    return {"enroll_secret": secret, "host_identifier": host, "platform_type": "9", "host_details": details(host)}


def stamp(seconds=None):
    seconds = int(time.time()) if seconds is None else seconds
    return {"calendarTime": time.asctime(time.gmtime(seconds)) + " UTC", "unixTime": seconds}


def result(columns=None, **more):
    return {"name": "processes", "hostIdentifier": HOST, **stamp(), "epoch": 0, "counter": 0, "numerics": False,
            "columns": columns or {"path": "/bin/x", "pid": "7"}, "action": "added", **more}


def snapshot(rows, **more):
    return {"snapshot": rows, "action": "snapshot", "name": "os", "hostIdentifier": HOST, **stamp(), "epoch": 0, "counter": 0,
            "numerics": False, **more}


def status(**more):
    return {"hostIdentifier": HOST, **stamp(), "severity": 0, "filename": "agent.lua", "line": 7, "message": "hello",
            "version": "5.23.0", **more}


def written(rows=None, name="q1", **more):
    return {"queries": {name: rows or []}, "statuses": {name: 0}, "messages": {name: ""},
            "stats": {name: {"wall_time_ms": 3, "user_time": 2, "system_time": 1, "memory": 4096}}, **more}


def carve_start(size, block=8192, **more):
    return {"block_count": -(-size // block), "block_size": block, "carve_size": size, "carve_id": str(uuid.uuid4()),
            "request_id": str(uuid.uuid4()), **more}


class Answer:
    def __init__(self, status_code, headers, body):
        self.status = status_code
        self.headers = headers
        self.body = body

    def json(self):
        return json.loads(self.body)


class Client:
    """One connection at a time; `headers` replaces what is sent (None: left out)."""

    def __init__(self, directory, port, paths):
        self.directory, self.port, self.paths = pathlib.Path(directory), port, paths
        self.key = None
        self.socket = None
        self.session = None

    def connect(self):
        context = ssl.create_default_context(cafile=self.directory / "ca.pem")
        plain = socket.create_connection(("127.0.0.1", self.port), timeout=20)
        self.socket = context.wrap_socket(plain, server_hostname="localhost", session=None)

    def close(self):
        if self.socket:
            self.socket.close()
        self.socket = None

    def read(self, wanted, buffer):
        while len(buffer) < wanted:
            data = self.socket.recv(65536)
            if not data:
                raise ConnectionError(f"ended after {len(buffer)} of {wanted} bytes")
            buffer += data
        return buffer

    def answer(self):
        buffer = b""
        while b"\r\n\r\n" not in buffer:
            data = self.socket.recv(65536)
            if not data:
                raise ConnectionError("no answer")
            buffer += data
        head, _, body = buffer.partition(b"\r\n\r\n")
        if head.startswith(b"HTTP/1.1 100"):
            return self.answer()
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = {line.partition(":")[0].lower(): line.partition(":")[2].strip() for line in lines}
        if "content-length" in headers:
            body = self.read(int(headers["content-length"]), body)
        else:
            while not body.endswith(b"0\r\n\r\n"):
                body = self.read(len(body) + 1, body)
        return Answer(int(first.split(" ")[1]), headers, body)

    def send(self, endpoint, body, method="POST", version="HTTP/1.1", path=None, headers=None, packed=False):
        if not self.socket:
            self.connect()
        data = body if isinstance(body, bytes) else json.dumps(body, separators=(",", ":")).encode()
        data = gzip.compress(data) if packed else data
        sent = {"Content-Type": "application/json", "Accept": "application/json", "User-Agent": "osquery/5.23.0",
                "Host": f"localhost:{self.port}", "Content-Length": str(len(data))}
        if packed:
            sent["Content-Encoding"] = "gzip"
        if endpoint != "enroll" and self.key:
            sent["Authorization"] = "NodeKey " + self.key
        sent.update(headers or {})
        head = [f"{method} {path or self.paths[endpoint]} {version}"] + [f"{k}: {v}" for k, v in sent.items() if v is not None]
        self.socket.sendall(("\r\n".join(head) + "\r\n\r\n").encode() + data)
        try:
            return self.answer()
        except OSError:
            self.close()
            raise

    def enroll(self, **more):
        answer = self.send("enroll", enrolment(**more))
        self.key = answer.json().get("node_key") if answer.status == 200 else None
        return answer

    def post(self, endpoint, body=None, **more):
        """With our node key in it."""
        value = dict(body or {})
        if endpoint != "carve_continue":
            value["node_key"] = self.key
        return self.send(endpoint, value, **more)

    def carve(self, data, block=8192):
        start = carve_start(len(data), block)
        session = self.post("carve_start", start).json()["session_id"]
        for i in range(start["block_count"]):
            self.post("carve_continue", {"block_id": i, "session_id": session, "request_id": start["request_id"],
                                         "data": base64.b64encode(data[i * block:(i + 1) * block]).decode()})
        return session

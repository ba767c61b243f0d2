#!/usr/bin/python3
"""A backend of osquery's TLS remote API that is strict with its clients, and as bad to them as a test wants.

usage: server.py DIR [--preset=NAME] [--env=UUID] [--client-certificates] [--plain]

Writes into DIR: certificates (certificates.py), records.jsonl with every request, carves/, and last ready.json: {"port", "control",
"paths"}.  control is a port of HTTP on this machine, for control.py's requests.  --plain: without TLS.
"""
import argparse
import ctypes
import gzip
import json
import os
import pathlib
import select
import socket
import ssl
import struct
import threading
import time
import traceback
import zlib

import certificates
import control
import faults
import protocol
import state

libc = ctypes.CDLL(None)
HEAD_LIMIT = 64 << 10
BODY_LIMIT = 64 << 20
IDLE_S = 300


class Gone(Exception):
    """The connection is of no use any more."""


class Request:
    def __init__(self):
        self.method = self.path = self.version = ""
        self.headers = {}
        self.repeated = []
        self.due_host = None
        self.arrived = time.monotonic()
        self.is_answer_lost = False
        self.wrong = []


class Backend:
    def __init__(self, directory, options):
        self.directory = pathlib.Path(directory)
        self.options = options
        self.lock = threading.RLock()
        self.changed = threading.Condition(self.lock)
        self.state = state.State(directory)
        self.rules = []
        self.records = []
        self.violations = []
        self.accept = "tls"  # tls; stall: no handshake; reset; garbage
        self.certificate = "good"
        self.checks_retry_after = True
        self.asked_to_wait = {}  # (host, endpoint) -> until when, time.monotonic()
        self.connections = {}
        self.connected = 0
        self.file = open(self.directory / "records.jsonl", "a", encoding="utf-8")
        self.paths = {name: path.replace("{env}", options.env) for name, path in protocol.PATHS[options.preset].items()}
        self.contexts = {}
        if not options.plain:
            certificates.make(directory)
            self.contexts = certificates.contexts(directory, options.client_certificates)
        self.listener = None
        self.port = 0
        self.up()

    # --- whether and how it listens -----------------------------------------------------------------------------------------------

    def up(self):
        if self.listener:
            return
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", self.port))
        listener.listen(256)
        self.port = listener.getsockname()[1]
        self.listener = listener
        threading.Thread(target=self.take, args=(listener,), daemon=True).start()

    def down(self, resets=True):
        """Refuse connections, and reset those there are."""
        listener, self.listener = self.listener, None
        if listener:
            listener.shutdown(socket.SHUT_RDWR)  # accept() of the other thread ends
            listener.close()
        if resets:
            self.reset_all()

    def reset_all(self):
        with self.lock:
            open_ones = list(self.connections.values())
        for connection in open_ones:
            connection.reset()

    def take(self, listener):
        while True:
            try:
                peer, _ = listener.accept()
            except OSError:
                return
            with self.lock:
                self.connected += 1
                connection = Connection(self, peer, self.connected)
                self.connections[connection.number] = connection
            threading.Thread(target=connection.run, daemon=True).start()

    # --- what is written down -----------------------------------------------------------------------------------------------------

    def record(self, entry):
        with self.lock:
            entry = {"n": len(self.records) + 1, "time": time.time(), **entry}
            self.records.append(entry)
            for sentence in entry.get("violations", ()):
                self.violations.append({"n": entry["n"], "endpoint": entry.get("endpoint"), "host": entry.get("host"), "what": sentence})
            self.file.write(json.dumps(entry) + "\n")
            self.file.flush()
            self.changed.notify_all()

    # --- one request --------------------------------------------------------------------------------------------------------------

    def endpoint_of(self, path):
        path = path.split("?")[0]
        return next((name for name, known in self.paths.items() if known == path), None)

    def rule_for(self, endpoint, host):
        with self.lock:
            return next((rule for rule in self.rules if rule.takes(endpoint, host)), None)

    def host_of_key(self, request):
        node = self.state.nodes.get(request.headers.get("authorization", "")[len("NodeKey "):])
        return node.host if node else None

    def answer(self, request, endpoint, rule, body):
        """(Answer or None, what to record).  Checks, applies, and spoils as the rule says."""
        entry = {"endpoint": endpoint, "method": request.method, "path": request.path, "headers": request.headers, "bytes": len(body),
                 "fault": rule.kind or "delay" if rule else None}
        wrong = request.wrong
        value = None
        unpacked = body
        if request.headers.get("content-encoding") == "gzip":
            try:
                unpacked = gzip.decompress(body)
            except (OSError, EOFError, zlib.error) as error:
                wrong.append(f"the body is not gzip: {error}")
        limit = protocol.BODY_LIMITS.get(endpoint)
        if limit and len(unpacked) > limit:
            wrong.append(f"a body of {len(unpacked)} bytes; backends take {limit}")
        try:
            value, sentences = protocol.decode(unpacked)
            wrong += sentences
        except protocol.NotJson as error:
            wrong.append(str(error))
        entry["body"] = value if value is not None else unpacked[:4096].decode("latin-1")
        key = value.get("node_key") if isinstance(value, dict) else None
        with self.lock:
            if endpoint is None:
                wrong.append(f"no such path: {request.path}")
                answer = faults.Answer(404, {"error": "no such path"})
                is_applied = False
            else:
                wrong += protocol.check_headers(endpoint, request, key if isinstance(key, str) else None)
                shape = protocol.check_body(endpoint, value, self.state.has_decorations_on_top()) if value is not None else []
                wrong += shape
                answer, is_applied = self.decide(request, endpoint, rule, value, bool(shape) or value is None, entry)
            entry["unpacked_bytes"] = len(unpacked)
            entry["accepted"] = is_applied
            if rule:
                answer = faults.change(rule, endpoint, request.path, answer)
            entry["status"] = answer.status if answer else None
            self.remember_wait(entry, answer)
            entry["violations"] = wrong
        return answer, entry

    def decide(self, request, endpoint, rule, value, is_misshapen, entry):
        if not isinstance(value, dict):
            return faults.Answer(400, {"error": "bad request"}), False
        node, refusal, sentences = self.state.check(endpoint, request, value)
        request.wrong += sentences
        host = node.host if node else value.get("host_identifier")
        entry["host"] = host if isinstance(host, str) else None
        entry["node_key"] = node.key if node else None
        until = self.asked_to_wait.get((entry["host"], endpoint))
        if self.checks_retry_after and until is not None and request.arrived < until - 0.05:
            request.wrong.append(f"{endpoint} comes again {until - request.arrived:.2f} s before Retry-After")
        request.is_answer_lost = bool(rule and rule.applied and rule.kind not in faults.GOOD)
        if refusal:
            self.state.told_invalid(node)
            return faults.Answer(*refusal), False
        if rule and rule.kind == "node_invalid" and node:
            node.is_valid = False
            self.state.told_invalid(node)
        if is_misshapen:
            return faults.Answer(400, {"error": "bad request"}), False
        if rule and not rule.applied:
            return faults.Answer(200, {}), False
        status, due = self.state.apply(endpoint, request, value, node)
        return faults.Answer(status, json.dumps(due)), status == 200 and not (isinstance(due, dict) and due.get("node_invalid"))

    def remember_wait(self, entry, answer):
        if answer and answer.retry_after() is not None and entry.get("host"):
            self.asked_to_wait[entry["host"], entry["endpoint"]] = time.monotonic() + answer.retry_after()


class Connection:
    def __init__(self, backend, peer, number):
        self.backend = backend
        self.peer = peer
        self.number = number
        self.requests = 0
        self.buffer = b""

    def reset(self):
        """End with an RST, so that the other side sees an error.  Also of a connection that another thread waits for, which close()
        would not end: connect(2) to no address does."""
        libc.connect(self.peer.fileno(), struct.pack("H14x", socket.AF_UNSPEC), 16)

    def run(self):
        try:
            self.peer.settimeout(IDLE_S)
            self.peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self.begin():
                while self.serve():
                    pass
        except (OSError, Gone):
            pass
        except Exception:  # a mistake of ours fails the test, too
            self.backend.record({"endpoint": None, "violations": [traceback.format_exc()]})
        finally:
            with self.backend.lock:
                self.backend.connections.pop(self.number, None)
            try:
                self.peer.close()
            except OSError:
                pass

    def begin(self):
        mode = self.backend.accept
        if mode == "reset":
            self.reset()
            return False
        if mode == "garbage":
            self.peer.sendall(b"220 mail.example.com ESMTP\r\n")
            return False
        if mode == "stall":
            time.sleep(IDLE_S)
            return False
        if self.backend.contexts:
            context = self.backend.contexts[self.backend.certificate]
            try:
                self.peer = context.wrap_socket(self.peer, server_side=True)
            except (ssl.SSLError, OSError) as error:
                self.backend.record({"endpoint": None, "connection": self.number, "handshake": str(error), "violations": []})
                return False
        return True

    def more(self, limit=65536):
        data = self.peer.recv(limit)
        if not data:
            raise Gone
        self.buffer += data

    def read_head(self):
        while b"\r\n\r\n" not in self.buffer:
            self.more()
            if len(self.buffer) > HEAD_LIMIT:
                raise Gone
        head, _, self.buffer = self.buffer.partition(b"\r\n\r\n")
        request = Request()
        first, *lines = head.decode("latin-1").split("\r\n")
        words = first.split(" ")
        if len(words) != 3:
            request.wrong.append(f"no request line of HTTP: {first[:100]!r}")
            words = (words + ["", "", ""])[:3]
        request.method, request.path, request.version = words
        for line in lines:
            name, colon, text = line.partition(":")
            name = name.lower()
            if not colon or name != name.strip():
                request.wrong.append(f"no header: {line[:100]!r}")
            if name in request.headers:
                request.repeated.append(name)
            request.headers[name] = text.strip()
        request.due_host = f"localhost:{self.backend.port}" if not request.headers.get("host", "").startswith("127.") else None
        return request

    def read_body(self, request, limit=None):
        try:
            length = int(request.headers.get("content-length", "0"))
        except ValueError as error:
            raise Gone from error
        if not 0 <= length <= BODY_LIMIT:
            raise Gone
        if request.headers.get("expect", "").lower() == "100-continue":
            self.peer.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        wanted = length if limit is None else min(length, limit)
        parts, have = [self.buffer], len(self.buffer)
        while have < wanted:
            data = self.peer.recv(262144)
            if not data:
                raise Gone
            parts.append(data)
            have += len(data)
        whole = b"".join(parts)
        self.buffer = whole[wanted:]
        return whole[:wanted]

    def serve(self):
        """One request; whether there may be another."""
        request = self.read_head()
        self.requests += 1
        endpoint = self.backend.endpoint_of(request.path)
        host = self.backend.host_of_key(request)
        rule = self.backend.rule_for(endpoint, host)
        told = {"connection": self.number, "request": self.requests}
        if isinstance(self.peer, ssl.SSLSocket):
            told.update(tls=self.peer.version(), resumed=self.peer.session_reused)
        if rule and rule.kind == "reset_request":
            body = self.read_body(request, rule.has["after_bytes"])
            self.backend.record({"endpoint": endpoint, "host": host, "fault": rule.kind, "accepted": False, "status": None, "bytes": len(body),
                                 "method": request.method, "path": request.path, "headers": request.headers, "violations": [], **told})
            self.reset()
            return False
        body = self.read_body(request)
        is_enrolment = endpoint == "enroll"
        name = self.begin_enrolment(body) if is_enrolment else None
        try:
            answer, entry = self.backend.answer(request, endpoint, rule, body)
            # A client that waits says nothing: what comes is its end.
            is_gone = bool(rule and rule.given.get("delay_s") and select.select([self.peer], [], [], rule.given["delay_s"])[0])
            self.backend.record({**entry, **told, "is_gone": is_gone})
            if is_gone:
                return False
            return self.send(request, answer, rule)
        finally:
            if name is not None:
                self.end_enrolment(name)

    def begin_enrolment(self, body):
        """Who enrols is known while the answer is on its way, so that two at once are seen."""
        try:
            name = json.loads(body).get("host_identifier")
        except (ValueError, AttributeError, RecursionError):
            return None
        if isinstance(name, str):
            with self.backend.lock:
                self.backend.state.enrolling[name] = self.backend.state.enrolling.get(name, 0) + 1
            return name
        return None

    def end_enrolment(self, name):
        with self.backend.lock:
            self.backend.state.enrolling[name] -= 1

    def send(self, request, answer, rule):
        if answer is None:
            if rule.kind == "hang":
                time.sleep(rule.has["seconds"])
            self.reset()
            return False
        if answer.raw is not None:
            self.peer.sendall(answer.raw)
            return False
        is_last = request.headers.get("connection", "").lower() == "close" or answer.end == "close"
        head = [f"HTTP/1.1 {answer.status} Whatever"] + [f"{name}: {text}" for name, text in answer.headers]
        is_chunked = answer.pieces is not None and answer.length is None
        length = len(answer.body) if answer.pieces is None else answer.length
        head.append("Transfer-Encoding: chunked" if is_chunked else f"Content-Length: {length}")
        head.append("Connection: " + ("close" if is_last else "keep-alive"))
        start = ("\r\n".join(head) + "\r\n\r\n").encode("latin-1")
        if answer.cut_at is not None:
            self.peer.sendall(start + answer.body[:answer.cut_at])
        elif answer.pieces is None:
            self.peer.sendall(start + answer.body)
        else:
            self.peer.sendall(start)
            for piece in answer.pieces:
                if is_chunked:
                    piece = b"%x\r\n%b\r\n" % (len(piece), piece) if piece else b""
                self.peer.sendall(piece)
                if answer.pause_s:
                    time.sleep(answer.pause_s)
            if is_chunked:
                self.peer.sendall(b"0\r\n\r\n")
        if answer.end == "reset":
            self.reset()
        return answer.end == "keep" and not is_last


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("directory")
    parser.add_argument("--preset", default="fleet", choices=sorted(protocol.PATHS))
    parser.add_argument("--env", default="5c9e7e3a-0f3b-4c8e-9d0e-6f1f0a6f2b11")
    parser.add_argument("--client-certificates", action="store_true")
    parser.add_argument("--plain", action="store_true")
    options = parser.parse_args()
    directory = pathlib.Path(options.directory)
    backend = Backend(directory, options)
    port = control.serve(backend)
    (directory / "ready.new").write_text(json.dumps({"port": backend.port, "control": port, "paths": backend.paths}))
    os.rename(directory / "ready.new", directory / "ready.json")
    threading.Event().wait()


if __name__ == "__main__":
    main()

"""How a test steers the backend: POST of an object {"do": …} to the control port; the answer is an object.

  set       config, secrets, style, accelerate, certificate, accept, checks_retry_after: whichever are given
  query     queries {id: SQL}, discovery {id: SQL}, host, again (until answered), only (in the place of those there were)
  invalidate  node_key or host; neither: all nodes
  fault     rules: a list of faults.Rule; in the place of those there were, unless "more" is true
  up, down  listen, or refuse connections; "resets": false leaves open connections alone
  reset     open connections
  wait      until "count" (1) of what is described are there, "timeout_s" (30) at most: {"found": [...], "is_there": true}
              of requests: "where": {"endpoint": "log", "accepted": true, "body.log_type": "result", …}
              of log lines: "line": {"name": "processes", "columns.pid": "7", …} and "where" of their requests
              "after": only records whose n is greater
            a value is met when it is equal, or, as {"match": "…"}, when the regular expression is found in it,
            or, as {"exists": false}, when it is not there
  count     the same at once, without the records: {"count": N}
  violations, state   what there is
  clear     violations, after a test that meant them
"""
import http.server
import json
import re
import threading
import time

import faults

MISSING = object()


def lookup(value, path):
    for name in path.split("."):
        if isinstance(value, dict):
            value = value.get(name, MISSING)
        elif isinstance(value, list) and name.isdigit() and int(name) < len(value):
            value = value[int(name)]
        else:
            return MISSING
    return value


def meets(value, wanted):
    for path, due in (wanted or {}).items():
        # Names of their own may have points.
        found = value[path] if isinstance(value, dict) and path in value else lookup(value, path)
        if isinstance(due, dict) and due.keys() == {"match"}:
            if not isinstance(found, str) or not re.search(due["match"], found):
                return False
        elif isinstance(due, dict) and due.keys() == {"exists"}:
            if (found is not MISSING) != due["exists"]:
                return False
        elif found is MISSING or found != due or isinstance(found, bool) != isinstance(due, bool):
            return False
    return True


def lines_of(record):
    body = record.get("body")
    return body.get("data") or () if isinstance(body, dict) and isinstance(body.get("data"), list) else ()


class Search:
    """Goes once over records, also those that are still to come."""

    def __init__(self, asked):
        self.where = asked.get("where") or {}
        self.line = asked.get("line")
        if self.line is not None:
            self.where = {"endpoint": "log", "accepted": True, **self.where}
        self.after = asked.get("after", 0)
        self.at = 0
        self.found = []

    def go_on(self, records):
        for record in records[self.at:]:
            if record["n"] > self.after and meets(record, self.where):
                if self.line is None:
                    self.found.append(record)
                else:
                    self.found += [line for line in lines_of(record) if isinstance(line, dict) and meets(line, self.line)]
        self.at = len(records)
        return self.found


class Control:
    def __init__(self, backend):
        self.backend = backend

    def do_set(self, asked):
        for name in ("config", "secrets", "style", "accelerate"):
            if name in asked:
                setattr(self.backend.state, name, asked.pop(name))
        for name in ("certificate", "accept", "checks_retry_after"):
            if name in asked:
                setattr(self.backend, name, asked.pop(name))
        if asked:
            raise ValueError(f"not known: {', '.join(asked)}")
        return {}

    def do_query(self, asked):
        if asked.get("only"):
            self.backend.state.queries.clear()
        self.backend.state.query(asked["queries"], asked.get("discovery"), asked.get("host"), asked.get("again", False))
        return {}

    def do_invalidate(self, asked):
        return {"count": self.backend.state.invalidate(asked.get("node_key"), asked.get("host"))}

    def do_fault(self, asked):
        rules = [faults.Rule(rule) for rule in asked["rules"]]
        self.backend.rules = self.backend.rules + rules if asked.get("more") else rules
        return {}

    def do_up(self, _):
        self.backend.up()
        return {}

    def do_down(self, asked):
        self.backend.down(asked.get("resets", True))
        return {}

    def do_reset(self, _):
        self.backend.reset_all()
        return {}

    def do_wait(self, asked):
        search, count = Search(asked), asked.get("count", 1)
        deadline = time.monotonic() + asked.get("timeout_s", 30)
        with self.backend.lock:
            while len(search.go_on(self.backend.records)) < count:
                left = deadline - time.monotonic()
                if left <= 0:
                    return {"found": search.found, "is_there": False}
                self.backend.changed.wait(left)
        return {"found": search.found, "is_there": True}

    def do_count(self, asked):
        with self.backend.lock:
            return {"count": len(Search(asked).go_on(self.backend.records))}

    def do_violations(self, _):
        return {"violations": list(self.backend.violations)}

    def do_clear(self, _):
        self.backend.violations.clear()
        return {}

    def do_state(self, _):
        return {"records": len(self.backend.records), "connections": self.backend.connected, "open": len(self.backend.connections),
                "faults": [rule.seen for rule in self.backend.rules], **self.backend.state.summary()}

    def answer(self, asked):
        word = asked.pop("do", "")
        action = getattr(self, "do_" + word, None)
        if not action:
            raise ValueError(f"no such request: {word!r}")
        if word in ("wait", "up", "down", "reset"):
            return action(asked)
        with self.backend.lock:
            return action(asked)


def serve(backend):
    control = Control(backend)

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_):
            pass

        def do_POST(self):
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            try:
                status, answer = 200, control.answer(json.loads(body))
            except Exception as error:  # of a test's mistake: it is told
                status, answer = 400, {"error": f"{type(error).__name__}: {error}"}
            data = json.dumps(answer).encode()
            self.send_response_only(status)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server.server_port

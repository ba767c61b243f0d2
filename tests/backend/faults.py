"""Ways for a backend to be bad.  A rule says when, and what; the answer that is due is changed, or never sent.

A rule is an object:
  endpoint   enroll, config, log, read, write, carve_start, carve_continue; left out: all
  host       host_identifier; left out: all, and those whose node is not known
  times      how often; left out: until the rules are cleared
  chance     0…1, of each request: 1
  applied    whether the request counts although the answer is bad: false, but where the answer itself is good
  delay_s    wait before the answer
  kind       one of KINDS, with what it takes; left out: the answer that is due (after delay_s)
"""
import email.utils
import gzip
import json
import random
import time

# kind -> what it takes, and what that is when left out
KINDS = {
    None: {},
    "status": {"status": 500, "body": "", "type": "application/json", "retry_after": None},  # seconds, {"date": seconds}, or a text
    "drip": {"bytes": 1, "every_s": 0.1},  # the answer, bit by bit
    "reset_request": {"after_bytes": 0},  # a reset when so many bytes of the body were read
    "reset": {},  # a reset in the place of an answer
    "reset_answer": {},  # a reset in the middle of the answer
    "cut": {},  # an orderly end in the middle of the answer
    "hang": {"seconds": 3600},  # no answer, and the connection stays
    "close": {},  # a good answer with Connection: close
    "drop": {},  # a good answer that promises to keep the connection, which is then closed
    "huge": {"bytes": 100 << 20, "shape": "string"},  # string, array, spaces, bomb (gzip), chunked (no end is announced)
    "deep": {"depth": 100000, "shape": "array"},  # array, object, open (never closed)
    "types": {"variant": 0},  # members of wrong types: WRONG_TYPES
    "not_json": {"shape": "html", "status": 200},  # html, cut, binary, empty, twice, nan
    "body": {"status": 200, "body": "{}", "type": "application/json"},  # this very text
    "redirect": {"status": 302, "location": ""},  # "": the same path again
    "gzip": {},  # a good answer, packed
    "gzip_broken": {},  # not packed, though it says so
    "chunked": {"bytes": 7},  # a good answer in chunks
    "headers": {"count": 2000},  # a good answer with so many headers
    "garbage": {},  # not HTTP
    "node_invalid": {"status": 401},
}
# Of these the answer is good, so that the request counts.
GOOD = {None, "drip", "close", "drop", "gzip", "chunked", "headers"}

WRONG_TYPES = {
    "enroll": [{"node_key": 5}, {"node_key": ["k"]}, {"node_key": ""}, {"node_key": None}, {}, [], "text", 7, None,
               {"node_key": {"a": "b"}}, {"node_key": "x" * 100000}, {"node_key": "with\nnewline"}],
    "config": [[], "text", 7, None, {"schedule": 5}, {"schedule": [1]}, {"schedule": {"q": 5}}, {"options": "text"},
               {"schedule": {"q": {"query": 7, "interval": "x"}}}, {"packs": 5}, {"packs": {"p": 7}}, {"file_paths": [1]},
               {"decorators": "x"}, {"events": 9}, {"views": [3]}, {"node_invalid": "no"}, {"moonwatch": 4}],
    "log": [[], "text", 7, None, {"node_invalid": "text"}, {"node_invalid": 0}, {"error": 5}],
    "read": [[], "text", 7, None, {"queries": 5}, {"queries": ["select 1"]}, {"queries": {"q": 5}}, {"queries": {"q": None}},
             {"queries": {"": "select 1"}}, {"queries": {"q": "select 1"}, "discovery": {"q": 7}},
             {"queries": {}, "accelerate": "many"}, {"queries": {}, "accelerate": -1}, {"queries": {}, "accelerate": 1e300}],
    "write": [[], "text", 7, None],
    "carve_start": [{"session_id": 5}, {"session_id": ""}, {}, [], None],
    "carve_continue": [[], "text", None],
}


class Rule:
    def __init__(self, given):
        self.given = given
        self.kind = given.get("kind")
        if self.kind not in KINDS:
            raise ValueError(f"no kind of fault: {self.kind!r}")
        unknown = given.keys() - KINDS[self.kind].keys() - {"endpoint", "host", "times", "chance", "applied", "delay_s", "kind"}
        if unknown:
            raise ValueError(f"{self.kind}: not known: {', '.join(sorted(unknown))}")
        self.has = {**KINDS[self.kind], **given}
        self.left = given.get("times")
        self.applied = given.get("applied", self.kind in GOOD)
        self.seen = 0

    def takes(self, endpoint, host):
        if self.given.get("endpoint") not in (None, endpoint) or self.given.get("host") not in (None, host) or self.left == 0:
            return False
        if random.random() >= self.given.get("chance", 1):
            return False
        self.seen += 1
        if self.left is not None:
            self.left -= 1
        return True


class Answer:
    def __init__(self, status, body, kind="application/json"):
        self.status = status
        self.body = body if isinstance(body, bytes) else body.encode() if isinstance(body, str) else json.dumps(body).encode()
        self.headers = [("Content-Type", kind)]
        self.pieces = None  # an iterator, in the place of body
        self.length = None  # of pieces; None: chunked
        self.pause_s = 0  # between pieces
        self.end = "keep"  # keep, close (and says so), drop (does not), reset
        self.cut_at = None  # end after so many bytes of the body
        self.raw = None  # in the place of all of it

    def retry_after(self):
        """Seconds that it asks for, or None."""
        return getattr(self, "asked_s", None)


def retry_header(answer, asked):
    if isinstance(asked, dict):
        at = time.time() + asked["date"]
        answer.asked_s = asked["date"] - 1  # its seconds are whole
        answer.headers.append(("Retry-After", email.utils.formatdate(at, usegmt=True)))
    elif asked is not None:
        if isinstance(asked, (int, float)):
            answer.asked_s = asked
        answer.headers.append(("Retry-After", str(asked)))


def repeated(first, middle, last, size):
    yield first
    left = size
    while left > 0:
        part = middle[:left] if left < len(middle) else middle
        left -= len(part)
        yield part
    yield last


def make_huge(has, answer):
    size, shape = has["bytes"], has["shape"]
    if shape == "bomb":
        packer, out = gzip.compress(bytes(1 << 20)), []
        while size > 0:  # members one behind the other are one file
            out.append(packer)
            size -= 1 << 20
        answer.body = b"".join(out)
        answer.headers.append(("Content-Encoding", "gzip"))
        return
    first, middle, last = {
        "string": (b'{"schedule": "', b"x" * 65536, b'"}'),
        "array": (b'{"a": [0', b",0" * 32768, b"]}"),
        "spaces": (b"{", b" " * 65536, b"}"),
        "chunked": (b'{"schedule": "', b"x" * 65536, b'"}'),
    }[shape]
    size -= size % 2
    answer.pieces = repeated(first, middle, last, size)
    answer.length = None if shape == "chunked" else len(first) + size + len(last)


def make_deep(has, answer):
    depth = has["depth"]
    left, right = (b"[", b"]") if has["shape"] != "object" else (b'{"a":', b"}")
    core = b"1" if has["shape"] == "object" else b""
    answer.body = b'{"schedule":' + left * depth + core + (b"" if has["shape"] == "open" else right * depth + b"}")


def make_not_json(has, answer):
    answer.status = has["status"]
    answer.body, kind = {
        "html": (b"<html><body>Welcome to the portal</body></html>", "text/html"),
        "cut": (b'{"node_key": "abc', "application/json"),
        "binary": (bytes(range(256)), "application/octet-stream"),
        "empty": (b"", "application/json"),
        "twice": (b"{}{}", "application/json"),
        "nan": (b'{"accelerate": NaN}', "application/json"),
    }[has["shape"]]
    answer.headers = [("Content-Type", kind)]


def change(rule, endpoint, path, answer):
    """The answer that is sent in the place of `answer`; None: none."""
    kind, has = rule.kind, rule.has
    if kind in ("status", "body"):
        answer = Answer(has["status"], has["body"], has["type"])
        if kind == "status":
            retry_header(answer, has["retry_after"])
    elif kind == "node_invalid":
        answer = Answer(has["status"], {"node_invalid": True})
    elif kind == "redirect":
        answer = Answer(has["status"], b"")
        answer.headers.append(("Location", has["location"] or path))
    elif kind == "drip":
        data, step = answer.body, has["bytes"]
        answer.pieces = (data[i:i + step] for i in range(0, len(data), step))
        answer.length, answer.pause_s = len(data), has["every_s"]
    elif kind == "chunked":
        data, step = answer.body, has["bytes"]
        answer.pieces = (data[i:i + step] for i in range(0, len(data), step))
    elif kind == "gzip":
        answer.body = gzip.compress(answer.body)
        answer.headers.append(("Content-Encoding", "gzip"))
    elif kind == "gzip_broken":
        answer.headers.append(("Content-Encoding", "gzip"))
    elif kind == "headers":
        answer.headers += [(f"X-Header-{i}", "x" * 100) for i in range(has["count"])]
    elif kind in ("close", "drop"):
        answer.end = kind
    elif kind in ("reset_answer", "cut"):
        # At least one byte is missing.
        answer.cut_at, answer.end = len(answer.body) // 2, "reset" if kind == "reset_answer" else "drop"
    elif kind == "types":
        variants = WRONG_TYPES[endpoint]
        answer = Answer(200, json.dumps(variants[has["variant"] % len(variants)]))
    elif kind == "huge":
        make_huge(has, answer)
    elif kind == "deep":
        make_deep(has, answer)
    elif kind == "not_json":
        make_not_json(has, answer)
    elif kind == "garbage":
        answer.raw, answer.end = b"SSH-2.0-OpenSSH_9.2p1\r\n", "drop"
    elif kind in ("reset", "reset_request", "hang"):
        return None
    return answer

"""What a backend knows: nodes, the configuration, queries, carves.  Also what must come before what.

Not locked: the caller holds one lock around a call.
"""
import base64
import binascii
import hashlib
import pathlib
import secrets
import time

import protocol

# Requests that were under way when a key became invalid may still come with it.
GRACE_S = 2.0

# How backends refuse a secret, and a node they do not know: (status, answer).
REFUSALS = {
    "fleet": (401, {"error": "authentication error: invalid enroll secret", "node_invalid": True}),
    "osctrl": (403, {}),
    "doorman": (200, {"node_invalid": True}),
}
STRANGERS = {
    "fleet": (401, {"error": "authentication error: invalid node key", "node_invalid": True}),
    "osctrl": (401, {"node_invalid": True}),
    "doorman": (200, {"node_invalid": True}),
}

MAGIC = {"tar": (257, b"ustar"), "zstd": (0, b"\x28\xb5\x2f\xfd")}


class Node:
    def __init__(self, key, host, details):
        self.key = key
        self.host = host
        self.details = details
        self.is_valid = True
        self.told_invalid = None  # when it was told so; time.monotonic()
        self.given = {}  # id of a query -> SQL, handed out and not answered
        self.answered = set()
        self.unsure = set()  # answered, but the answer to that was never sent


class Carve:
    def __init__(self, node, session, start):
        self.node = node
        self.session = session
        self.start = start
        self.blocks = []
        self.path = None


class State:
    def __init__(self, directory):
        self.directory = pathlib.Path(directory)
        self.secrets = ["the enrolment secret"]
        self.style = "fleet"
        self.config = {}
        self.nodes = {}
        self.queries = []  # {"id", "sql", "discovery", "host", "again"}
        self.accelerate = None
        self.carves = {}
        self.enrolling = {}

    # --- what tests change ------------------------------------------------------------------------------------------------------

    def invalidate(self, key=None, host=None):
        """Forget a node, those of a host, or all."""
        count = 0
        for node in self.nodes.values():
            if node.is_valid and key in (None, node.key) and host in (None, node.host):
                node.is_valid = False
                count += 1
        return count

    def query(self, queries, discovery=None, host=None, again=False):
        for name, sql in queries.items():
            self.queries.append({"id": name, "sql": sql, "discovery": (discovery or {}).get(name), "host": host, "again": again})

    def has_decorations_on_top(self):
        options = self.config.get("options") if isinstance(self.config, dict) else None
        return isinstance(options, dict) and options.get("decorations_top_level") in (True, "true")

    # --- requests ---------------------------------------------------------------------------------------------------------------

    def node_of(self, endpoint, request, value):
        """(node, refusal or None, sentences).  Blocks of a carve name their node in a header alone."""
        wrong = []
        key = value.get("node_key") if endpoint != "carve_continue" else request.headers.get("authorization", "")[len("NodeKey "):]
        node = self.nodes.get(key) if isinstance(key, str) else None
        if node is None:
            wrong.append(f"node key {key!r} was never given to anybody")
        elif node.told_invalid is not None and request.arrived - node.told_invalid > GRACE_S:
            wrong.append(f"the node key of {node.host} is used again though node_invalid was answered")
        if node is None or not node.is_valid:
            return node, STRANGERS[self.style], wrong
        return node, None, wrong

    def check(self, endpoint, request, value):
        """Sentences about the order of things; (node, refusal, sentences).  Changes nothing."""
        if endpoint == "enroll":
            host = value.get("host_identifier")
            wrong = []
            if isinstance(host, str) and self.enrolling.get(host, 0) > 1:
                wrong.append(f"{host} enrols twice at the same time")
            return None, None, wrong
        node, refusal, wrong = self.node_of(endpoint, request, value)
        if node is not None:
            wrong += getattr(self, "check_" + endpoint, lambda *_: [])(node, value)
        return node, refusal, wrong

    def check_log(self, node, value):
        lines = value.get("data") if isinstance(value.get("data"), list) else []
        others = {line.get("hostIdentifier") for line in lines if isinstance(line, dict)} - {node.host}
        return [f"hostIdentifier {other!r} of a line is not that of the enrolment, {node.host!r}" for other in others]

    def check_write(self, node, value):
        wrong = []
        for name in value.get("queries") if isinstance(value.get("queries"), dict) else ():
            if name in node.given or name in node.unsure:
                continue
            wrong.append(f"query {name} was answered before" if name in node.answered else f"query {name} was never asked")
        return wrong

    def check_carve_continue(self, node, value):
        carve = self.carves.get(value.get("session_id"))
        if carve is None:
            return [f"session {value.get('session_id')!r} was never begun"]
        wrong = []
        if carve.node is not node:
            wrong.append("a block of another node's carve")
        if value.get("request_id") != carve.start["request_id"]:
            wrong.append("request_id is not that of the start")
        number, count = value.get("block_id"), carve.start["block_count"]
        # The one before again: its answer may have got lost.
        if number not in (len(carve.blocks), len(carve.blocks) - 1):
            wrong.append(f"block {number} where {len(carve.blocks)} is due")
        try:
            data = base64.b64decode(value.get("data") or "", validate=True)
        except (binascii.Error, TypeError, ValueError):
            return wrong + ["data is not base64"]
        size = carve.start["block_size"]
        due = carve.start["carve_size"] - size * (count - 1) if number == count - 1 else size
        if len(data) != due:
            wrong.append(f"block {number} has {len(data)} bytes where {due} are due")
        return wrong

    def apply(self, endpoint, request, value, node):
        """Take a request whose shape is right; (status, answer)."""
        return getattr(self, "take_" + endpoint)(request, value, node)

    def take_enroll(self, request, value, _):
        if value.get("enroll_secret") not in self.secrets:
            return REFUSALS[self.style]
        node = Node(secrets.token_urlsafe(24), value["host_identifier"], value["host_details"])
        self.nodes[node.key] = node
        return 200, {"node_key": node.key}

    def take_config(self, request, value, node):
        # As it is, if it is no object: that is what the test wants.
        return 200, dict(self.config, node_invalid=False) if isinstance(self.config, dict) else self.config

    def take_log(self, request, value, node):
        return 200, {}

    def take_read(self, request, value, node):
        answer = {"queries": {}, "node_invalid": False}
        discovery = {}
        for query in self.queries:
            name = query["id"]
            if query["host"] not in (None, node.host) or name in node.answered:
                continue
            if name in node.given and not query["again"]:
                continue
            node.given[name] = query["sql"]
            answer["queries"][name] = query["sql"]
            if query["discovery"] is not None:
                discovery[name] = query["discovery"]
        if discovery:
            answer["discovery"] = discovery
        if self.accelerate is not None:
            answer["accelerate"] = self.accelerate
        return 200, answer

    def take_write(self, request, value, node):
        for name in value["queries"]:
            node.given.pop(name, None)
            node.answered.add(name)
            if request.is_answer_lost:
                node.unsure.add(name)
            else:
                node.unsure.discard(name)
        return 200, {}

    def take_carve_start(self, request, value, node):
        session = secrets.token_hex(8)
        self.carves[session] = Carve(node, session, value)
        return 200, {"success": True, "session_id": session}

    def take_carve_continue(self, request, value, node):
        carve = self.carves.get(value["session_id"])
        if carve is None:
            return 404, {"success": False}
        if value["block_id"] == len(carve.blocks):
            carve.blocks.append(base64.b64decode(value["data"]))
        if len(carve.blocks) == carve.start["block_count"] and carve.path is None:
            whole = b"".join(carve.blocks)
            kind = next((name for name, (at, magic) in MAGIC.items() if whole[at:at + len(magic)] == magic), None)
            if kind is None:
                request.wrong.append("a carve that is neither a tar archive nor zstd")
            if len(whole) != carve.start["carve_size"]:
                request.wrong.append(f"a carve of {len(whole)} bytes where {carve.start['carve_size']} were announced")
            folder = self.directory / "carves"
            folder.mkdir(exist_ok=True)
            path = folder / f"{carve.session}.{kind or 'unknown'}"
            path.write_bytes(whole)
            carve.path = str(path)
        return 200, {"success": True}

    # --- for tests to read ------------------------------------------------------------------------------------------------------

    def told_invalid(self, node):
        if node is not None and node.told_invalid is None:
            node.told_invalid = time.monotonic()

    def summary(self):
        return {
            "nodes": [{"node_key": node.key, "host": node.host, "is_valid": node.is_valid, "asked": sorted(node.given),
                       "answered": sorted(node.answered), "host_details": node.details} for node in self.nodes.values()],
            "carves": [{"session": carve.session, "host": carve.node.host, "blocks": len(carve.blocks), "path": carve.path,
                        "start": carve.start, "sha256": hashlib.sha256(b"".join(carve.blocks)).hexdigest()}
                       for carve in self.carves.values()],
        }

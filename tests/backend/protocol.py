"""What osquery's TLS remote API allows, strictly: every check gives a list of sentences, empty when there is nothing to say.

Nothing here knows of connections; what must come in which order is in state.py.
"""
import calendar
import json
import re
import time

# Where backends have them.  osctrl has the environment's UUID before.
PATHS = {
    "fleet": {
        "enroll": "/api/osquery/enroll", "config": "/api/osquery/config", "log": "/api/osquery/log",
        "read": "/api/osquery/distributed/read", "write": "/api/osquery/distributed/write",
        "carve_start": "/api/osquery/carve/begin", "carve_continue": "/api/osquery/carve/block",
    },
    "osctrl": {
        "enroll": "/{env}/enroll", "config": "/{env}/config", "log": "/{env}/log", "read": "/{env}/read", "write": "/{env}/write",
        "carve_start": "/{env}/init", "carve_continue": "/{env}/block",
    },
    "uptycs": {
        "enroll": "/agent/enroll", "config": "/agent/config", "log": "/agent/log", "read": "/agent/distributed_read",
        "write": "/agent/distributed_write", "carve_start": "/agent/carve_init", "carve_continue": "/agent/carve_block",
    },
    "doorman": {
        "enroll": "/enroll", "config": "/config", "log": "/log", "read": "/distributed/read", "write": "/distributed/write",
        "carve_start": "/carve/start", "carve_continue": "/carve/continue",
    },
    "zentral": {
        "enroll": "/public/osquery/enroll", "config": "/public/osquery/config", "log": "/public/osquery/log",
        "read": "/public/osquery/distributed/read", "write": "/public/osquery/distributed/write",
        "carve_start": "/public/osquery/carver/start", "carve_continue": "/public/osquery/carver/continue",
    },
    "test": {
        "enroll": "/enroll", "config": "/config", "log": "/log", "read": "/distributed_read", "write": "/distributed_write",
        "carve_start": "/carve_init", "carve_continue": "/carve_block",
    },
}

# The tightest limits known of backends, in bytes of the body, unpacked.
BODY_LIMITS = {
    "enroll": 64 << 10, "config": 64 << 10, "log": 10 << 20, "read": 16 << 10, "write": 5 << 20,
    "carve_start": 1 << 20, "carve_continue": 1 << 20,
}
LINE_LIMIT = 1 << 20

# What every Linux host fills, of the tables in host_details.  platform_info needs SMBIOS, so it may be missing; so may columns that
# /etc/os-release has no value for (build, codename, platform_like).
DETAILS = {
    "os_version": {"name", "version", "major", "minor", "patch", "platform", "arch"},
    "osquery_info": {"pid", "uuid", "instance_id", "version", "config_hash", "config_valid", "extensions", "build_platform",
                     "build_distro", "start_time", "watcher", "platform_mask"},
    "system_info": {"hostname", "uuid", "cpu_type", "cpu_subtype", "cpu_brand", "cpu_physical_cores", "cpu_logical_cores",
                    "cpu_microcode", "physical_memory", "hardware_vendor", "hardware_model", "hardware_version", "hardware_serial",
                    "computer_name", "local_hostname"},
}
OPTIONAL_DETAILS = {"platform_info"}

UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
# Of boards that have none: two hosts must not report the same.
PLACEHOLDERS = {"03000200-0400-0500-0006-000700080009", "00000000-0000-0000-0000-000000000000",
                "ffffffff-ffff-ffff-ffff-ffffffffffff", "fefefefe-fefe-fefe-fefe-fefefefefefe",
                "10000000-0000-8000-0040-000000000000", "03020100-0504-0706-0809-0a0b0c0d0e0f"}


class NotJson(ValueError):
    pass


def decode(body):
    """(value, sentences): as strictly as RFC 8259 and I-JSON are: UTF-8, no member twice, no NaN, no lone surrogates."""
    wrong = []

    def members(pairs):
        names = [name for name, _ in pairs]
        for name in sorted({name for name in names if names.count(name) > 1} if len(set(names)) < len(names) else ()):
            wrong.append(f"member {name!r} twice in one object")
        return dict(pairs)

    def constant(word):
        wrong.append(f"{word} is no JSON")
        return None

    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise NotJson(f"the body is not UTF-8: {error.reason} at byte {error.start}") from error
    try:
        value = json.loads(text, object_pairs_hook=members, parse_constant=constant)
    except (ValueError, RecursionError) as error:
        raise NotJson(f"the body is not JSON: {error}") from error
    if re.search(r"\\u[dD][89a-fA-F]", text):
        try:
            json.dumps(value, ensure_ascii=False).encode("utf-8")
        except UnicodeEncodeError:
            wrong.append("a lone surrogate")
    return value, wrong


def is_int(value):
    return isinstance(value, int) and not isinstance(value, bool)


def kind_of(value):
    kinds = {str: "string", bool: "boolean", int: "integer", float: "number", list: "array", dict: "object"}
    return "null" if value is None else kinds[type(value)]


KINDS = {
    "string": lambda value: isinstance(value, str),
    "text": lambda value: isinstance(value, str) and value != "",
    "integer": is_int,
    "natural": lambda value: is_int(value) and value >= 0,
    "boolean": lambda value: isinstance(value, bool),
    "array": lambda value: isinstance(value, list),
    "object": lambda value: isinstance(value, dict),
    "uuid": lambda value: isinstance(value, str) and UUID.fullmatch(value) is not None,
}


def check_members(value, required, optional=None, where=""):
    """Exactly these members, of these kinds (names of KINDS)."""
    wrong = []
    optional = optional or {}
    for name, kind in required.items():
        if name not in value:
            wrong.append(f"{where}{name} is missing")
        elif not KINDS[kind](value[name]):
            wrong.append(f"{where}{name}: {kind_of(value[name])} where {kind} is due")
    for name, kind in optional.items():
        if name in value and not KINDS[kind](value[name]):
            wrong.append(f"{where}{name}: {kind_of(value[name])} where {kind} is due")
    for name in value:
        if name not in required and name not in optional:
            wrong.append(f"{where}{name} is not known to the protocol")
    return wrong


def check_strings(value, where):
    """An object whose values are all strings."""
    if not isinstance(value, dict):
        return [f"{where}: {kind_of(value)} where object is due"]
    return [f"{where}.{name}: {kind_of(item)} where string is due" for name, item in value.items() if not isinstance(item, str)]


def check_row(value, where, numerics=False, is_sorted=True):
    """A row of a result: strings, or numbers as well; columns in the order of their bytes."""
    if not isinstance(value, dict):
        return [f"{where}: {kind_of(value)} where object is due"]
    wrong = []
    for name, item in value.items():
        is_number = isinstance(item, (int, float)) and not isinstance(item, bool)
        if not isinstance(item, str) and not (numerics and is_number):
            wrong.append(f"{where}.{name}: {kind_of(item)} where string is due")
    names = [name.encode("utf-8", "surrogatepass") for name in value]
    if is_sorted and names != sorted(names):
        wrong.append(f"{where}: columns are not in the order of their bytes: {', '.join(value)}")
    return wrong


def check_headers(endpoint, request, node_key):
    """`request`: .method, .path, .version, .headers (lower case -> value), .repeated (names given twice)."""
    wrong = []
    headers = request.headers
    if request.method != "POST":
        wrong.append(f"method {request.method} where POST is due")
    if request.version != "HTTP/1.1":
        wrong.append(f"{request.version} where HTTP/1.1 is due")
    if "?" in request.path:
        wrong.append("a query string in the path")
    for name in request.repeated:
        wrong.append(f"header {name} twice")
    for name, due in (("content-type", "application/json"), ("accept", "application/json")):
        if headers.get(name) != due:
            wrong.append(f"header {name} is {headers.get(name)!r} where {due!r} is due")
    if not re.match(r"osquery/\d+\.\d+\.\d+\S*( |$)", headers.get("user-agent", "")):
        wrong.append(f"header user-agent is {headers.get('user-agent')!r} where osquery/VERSION is due")
    if "host" not in headers:
        wrong.append("header host is missing")
    elif request.due_host and headers["host"] != request.due_host:
        wrong.append(f"header host is {headers['host']!r} where {request.due_host!r} is due")
    if "content-length" not in headers or "transfer-encoding" in headers:
        wrong.append("no content-length, or a transfer-encoding")
    encoding = headers.get("content-encoding")
    if encoding is not None and (encoding != "gzip" or endpoint != "log"):
        wrong.append(f"content-encoding {encoding!r} at {endpoint}; gzip, and that for logs, is all there is")
    accepts = headers.get("accept-encoding")
    if accepts not in (None, "gzip"):
        wrong.append(f"header accept-encoding is {accepts!r} where 'gzip' or none is due")
    authorization = headers.get("authorization")
    if endpoint == "enroll":
        if authorization is not None:
            wrong.append("an authorization header at enroll")
    elif not authorization or not re.fullmatch(r"NodeKey \S+", authorization):
        wrong.append(f"header authorization is {authorization!r} where 'NodeKey KEY' is due")
    elif node_key is not None and authorization != "NodeKey " + node_key:
        wrong.append("the node key of the authorization header is not that of the body")
    for name in ("cookie", "expect", "upgrade", "referer", "proxy-authorization"):
        if name in headers:
            wrong.append(f"a header {name}")
    return wrong


def check_enroll(value):
    wrong = check_members(value, {"enroll_secret": "string", "host_identifier": "text", "platform_type": "string",
                                  "host_details": "object"})
    if isinstance(value.get("platform_type"), str) and value["platform_type"] != "9":
        wrong.append(f"platform_type is {value['platform_type']!r} where '9', Linux, is due")
    details = value.get("host_details")
    if not isinstance(details, dict):
        return wrong
    for table in details:
        if table not in DETAILS and table not in OPTIONAL_DETAILS:
            wrong.append(f"host_details.{table} is not known to the protocol")
        wrong += check_strings(details[table], f"host_details.{table}")
    for table, columns in DETAILS.items():
        row = details.get(table)
        if not isinstance(row, dict):
            wrong.append(f"host_details.{table} is missing")
            continue
        for column in sorted(columns - row.keys()):
            wrong.append(f"host_details.{table}.{column} is missing")
    for table, column in (("osquery_info", "uuid"), ("osquery_info", "instance_id"), ("system_info", "uuid")):
        text = (details.get(table) or {}).get(column) if isinstance(details.get(table), dict) else None
        if isinstance(text, str) and (not UUID.fullmatch(text) or text.lower() in PLACEHOLDERS):
            wrong.append(f"host_details.{table}.{column} is {text!r}, no UUID of its own")
    for table, column in (("system_info", "hostname"), ("system_info", "hardware_serial"), ("system_info", "computer_name"),
                          ("os_version", "name"), ("os_version", "platform"), ("osquery_info", "version")):
        if isinstance(details.get(table), dict) and details[table].get(column) == "":
            wrong.append(f"host_details.{table}.{column} is empty")
    for table, column in (("osquery_info", "pid"), ("osquery_info", "start_time"), ("system_info", "physical_memory"),
                          ("system_info", "cpu_logical_cores")):
        text = (details.get(table) or {}).get(column) if isinstance(details.get(table), dict) else None
        if isinstance(text, str) and not re.fullmatch(r"\d+", text):
            wrong.append(f"host_details.{table}.{column} is {text!r}, no number")
    return wrong


def check_node_key_alone(value):
    return check_members(value, {"node_key": "text"})


MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()
DAYS = "Mon Tue Wed Thu Fri Sat Sun".split()
ASCTIME = re.compile(r"(\w{3}) (\w{3}) ([ 1-3]\d) (\d\d):(\d\d):(\d\d) (\d{4}) UTC")


def check_time(line, where):
    """calendarTime in the layout of C's asctime, and the same second as unixTime."""
    text, unix = line.get("calendarTime"), line.get("unixTime")
    if not isinstance(text, str) or not is_int(unix):
        return []
    match = ASCTIME.fullmatch(text)
    if not match or match[2] not in MONTHS or match[1] not in DAYS:
        return [f"{where}calendarTime is {text!r}, not as 'Sun Aug  2 07:05:09 2026 UTC'"]
    seconds = calendar.timegm((int(match[7]), MONTHS.index(match[2]) + 1, int(match[3]), int(match[4]), int(match[5]), int(match[6])))
    if time.gmtime(seconds).tm_wday != DAYS.index(match[1]):
        return [f"{where}calendarTime is {text!r}: that was no {match[1]}"]
    if seconds != unix:
        return [f"{where}calendarTime {text!r} is not unixTime {unix}"]
    return []


COMMON = {"name": "text", "hostIdentifier": "text", "calendarTime": "text", "unixTime": "natural", "epoch": "natural",
          "counter": "natural", "numerics": "boolean"}


def check_line(line, where, shape, has_decorations_on_top):
    optional = {"decorations": "object"}
    known = {**shape, **optional}
    if has_decorations_on_top:
        wrong = check_members({name: item for name, item in line.items() if name in known}, shape, optional, where)
        wrong += [f"{where}{name}: {kind_of(item)} where string is due" for name, item in line.items()
                  if name not in known and not isinstance(item, str)]
    else:
        wrong = check_members(line, shape, optional, where)
    if isinstance(line.get("decorations"), dict):
        wrong += check_strings(line["decorations"], where + "decorations")
        if not line["decorations"]:
            wrong.append(f"{where}decorations is empty: leave it out")
    return wrong + check_time(line, where)


def check_result(line, where, on_top=False):
    numerics = line.get("numerics") is True
    if "snapshot" in line:
        wrong = check_line(line, where, {**COMMON, "snapshot": "array", "action": "text"}, on_top)
        if line.get("action") != "snapshot":
            wrong.append(f"{where}action is {line.get('action')!r} where 'snapshot' is due")
        if line.get("counter") != 0:
            wrong.append(f"{where}counter of a snapshot is {line.get('counter')!r} where 0 is due")
        if isinstance(line["snapshot"], list):
            for i, row in enumerate(line["snapshot"]):
                wrong += check_row(row, f"{where}snapshot[{i}]", numerics)
        return wrong
    if "diffResults" in line:
        wrong = check_line(line, where, {**COMMON, "diffResults": "object"}, on_top)
        diff = line["diffResults"]
        if isinstance(diff, dict):
            wrong += check_members(diff, {"removed": "array", "added": "array"}, None, where + "diffResults.")
            for name in ("removed", "added"):
                for i, row in enumerate(diff.get(name) if isinstance(diff.get(name), list) else ()):
                    wrong += check_row(row, f"{where}diffResults.{name}[{i}]", numerics)
        return wrong
    wrong = check_line(line, where, {**COMMON, "columns": "object", "action": "text"}, on_top)
    if line.get("action") not in ("added", "removed", "snapshot"):
        wrong.append(f"{where}action is {line.get('action')!r} where added, removed or snapshot is due")
    if isinstance(line.get("columns"), dict):
        wrong += check_row(line["columns"], where + "columns", numerics)
        if not line["columns"]:
            wrong.append(f"{where}columns is empty")
    return wrong


STATUS = {"hostIdentifier": "text", "calendarTime": "text", "unixTime": "natural", "severity": "natural", "filename": "text",
          "line": "natural", "message": "text", "version": "text"}


def check_status(line, where, on_top=False):
    wrong = check_line(line, where, STATUS, on_top)
    if is_int(line.get("severity")) and line["severity"] > 2:
        wrong.append(f"{where}severity is {line['severity']} where 0, 1 or 2 is due")
    return wrong


def check_log(value, on_top=False):
    wrong = check_members(value, {"node_key": "text", "log_type": "text", "data": "array"})
    kind = value.get("log_type")
    if isinstance(kind, str) and kind not in ("result", "status"):
        wrong.append(f"log_type is {kind!r} where result or status is due")
    lines = value.get("data")
    if not isinstance(lines, list):
        return wrong
    if not lines:
        wrong.append("data is empty")
    for i, line in enumerate(lines):
        where = f"data[{i}]."
        if not isinstance(line, dict):
            wrong.append(f"data[{i}]: {kind_of(line)} where object is due")
            continue
        wrong += (check_status if kind == "status" else check_result)(line, where, on_top)
        if len(json.dumps(line, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "surrogatepass")) > LINE_LIMIT:
            wrong.append(f"data[{i}] is longer than {LINE_LIMIT} bytes")
    return wrong


def check_write(value):
    wrong = check_members(value, {"queries": "object", "statuses": "object", "messages": "object", "stats": "object",
                                  "node_key": "text"})
    parts = {name: value[name] for name in ("queries", "statuses", "messages", "stats") if isinstance(value.get(name), dict)}
    if "queries" in parts:
        for name, part in parts.items():
            if part.keys() != parts["queries"].keys():
                wrong.append(f"{name} and queries are of different ids")
        if not parts["queries"]:
            wrong.append("no query is answered")
    for name, rows in parts.get("queries", {}).items():
        if not isinstance(rows, list):
            wrong.append(f"queries.{name}: {kind_of(rows)} where array is due")
            continue
        for i, row in enumerate(rows):
            wrong += check_row(row, f"queries.{name}[{i}]", is_sorted=False)
        if parts.get("statuses", {}).get(name) == 1 and rows:
            wrong.append(f"queries.{name} has rows though it failed")
    for name, status in parts.get("statuses", {}).items():
        if not is_int(status) or status not in (0, 1):
            wrong.append(f"statuses.{name} is {status!r} where 0 or 1 is due")
    for name, text in parts.get("messages", {}).items():
        status = parts.get("statuses", {}).get(name)
        if not isinstance(text, str):
            wrong.append(f"messages.{name}: {kind_of(text)} where string is due")
        elif (status == 0 and text) or (status == 1 and not text):
            wrong.append(f"messages.{name} is {text!r} with status {status}")
    for name, stats in parts.get("stats", {}).items():
        if not isinstance(stats, dict):
            wrong.append(f"stats.{name}: {kind_of(stats)} where object is due")
        elif stats:
            wrong += check_members(stats, {"wall_time_ms": "natural", "user_time": "natural", "system_time": "natural",
                                           "memory": "natural"}, None, f"stats.{name}.")
    return wrong


def check_carve_start(value):
    wrong = check_members(value, {"block_count": "natural", "block_size": "natural", "carve_size": "natural", "carve_id": "uuid",
                                  "request_id": "uuid", "node_key": "text"})
    if not wrong:
        size, block = value["carve_size"], value["block_size"]
        if block == 0 or size == 0:
            wrong.append("a carve of nothing")
        elif value["block_count"] != -(-size // block):
            wrong.append(f"block_count {value['block_count']} is not {size} / {block}, rounded up")
    return wrong


def check_carve_continue(value):
    return check_members(value, {"block_id": "natural", "session_id": "text", "request_id": "uuid", "data": "text"})


def check_body(endpoint, value, on_top=False):
    if not isinstance(value, dict):
        return [f"the body is no object but {kind_of(value)}"]
    if endpoint == "log":
        return check_log(value, on_top)
    return {"enroll": check_enroll, "config": check_node_key_alone, "read": check_node_key_alone, "write": check_write,
            "carve_start": check_carve_start, "carve_continue": check_carve_continue}[endpoint](value)

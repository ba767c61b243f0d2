-- Tables that ask a server: one of Python's, on a port of its own.
local tables = dofile("tests/spec/tables.lua")

local here = tables.open()

local SERVER = [[
import http.server, os, ssl, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = ("agent=" + self.headers.get("User-Agent", "")).encode()
        self.send_response(404 if self.path == "/none" else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *a): pass
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
if len(sys.argv) > 2:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(sys.argv[2], sys.argv[2])
    server.socket = context.wrap_socket(server.socket, server_side=True)
with open(sys.argv[1], "w") as f: f.write("%d %d\n" % (server.server_address[1], os.getpid()))
server.serve_forever()
]]

--- Start it; with a file of key and certificate it speaks TLS.  Its port, and a function that ends it; nil without Python.
local function serve(pem)
  local folder = tables.root { ["/server.py"] = SERVER, ["/told"] = { fifo = true } }
  if not tables.has("python3") then
    return nil
  end
  os.execute(("python3 %s/server.py %s/told %s >/dev/null 2>&1 &"):format(folder, folder, pem or ""))
  local file <close> = assert(io.open(folder .. "/told")) -- until it is there
  local port, pid = file:read("n", "n")
  return math.tointeger(port), function()
    os.execute("kill " .. math.tointeger(pid))
  end
end

describe("curl", function()
  it("has the answer of a server", function()
    local port, stop = serve()
    if not port then
      pending("no python3 here")
      return
    end
    local url = ("http://127.0.0.1:%d"):format(port)
    local rows = here:rows(("SELECT url, method, user_agent, response_code, bytes, result FROM curl WHERE url IN ('%s/', '%s/none')")
      :format(url, url))
    local agent = here:list(("SELECT result FROM curl WHERE url = '%s/' AND user_agent = 'me/1'"):format(url))
    local bad = here.database:prepare(("SELECT 1 FROM curl WHERE url = '%s' AND user_agent = 'a' || char(10) || 'b'"):format(url))
    local _, message = bad:step()
    bad:close()
    stop()
    if here:warnings():find("no network client", 1, true) then
      pending("no libcurl here")
      return
    end
    assert.are.same({
      { url .. "/", "GET", "moonwatch", 200, 15, "agent=moonwatch" },
      { url .. "/none", "GET", "moonwatch", 404, 15, "agent=moonwatch" },
    }, rows)
    assert.are.same({ "agent=me/1" }, agent)
    assert.is_truthy(message:find("a user agent is one line", 1, true), message)
  end)

  it("has a row without an answer, and says why", function()
    assert.are.same({ { "http://127.0.0.1:1/", false, false, false } },
      here:rows "SELECT url, response_code, bytes, result FROM curl WHERE url = 'http://127.0.0.1:1/'")
    assert.is_truthy(here:warnings():find("curl: http://127.0.0.1:1/", 1, true))
  end)

  it("does not ask where credentials are", function()
    for _, host in ipairs { "169.254.170.2", "169.254.169.254", "[fd00:ec2::254]", "[fe80::1]", "[::ffff:169.254.170.2]" } do
      assert.are.same({ false }, here:list("SELECT response_code FROM curl WHERE url = 'http://" .. host .. "/'"), host)
      local warnings = here:warnings()
      assert.is_truthy(warnings:find("none that may be connected to", 1, true) or warnings:find("no network client", 1, true),
        host .. ": " .. warnings)
    end
  end)
end)

describe("curl_certificate", function()
  it("shows what a server shows, expired or not", function()
    local folder = tables.root {
      ["/conf"] = [[
[req]
distinguished_name = dn
x509_extensions = ext
[dn]
[ext]
basicConstraints = CA:true, pathlen:1
keyUsage = digitalSignature
extendedKeyUsage = serverAuth, 1.2.3.4
subjectAltName = DNS:a.example, IP:192.0.2.1, URI:http://u, email:m@x
authorityInfoAccess = OCSP;URI:http://ocsp.example
subjectKeyIdentifier = hash
certificatePolicies = 1.2.3
]],
    }
    tables.shell(([[cd %s && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout k -out c -config conf \
      -set_serial 4660 -days 7 -subj '/O=Org/OU=Unit/CN=peer' >/dev/null 2>&1; cat k c > all]]):format(folder))
    local port, stop = serve(folder .. "/all")
    if not port or not tables.has("openssl") then
      pending("no python3 or openssl here")
      return
    end
    local host = "127.0.0.1:" .. port
    local columns = "common_name, organization, organization_unit, issuer_common_name, serial_number, version, "
      .. "signature_algorithm, key_usage, extended_key_usage, policies, subject_alternative_names, info_access, "
      .. "has_expired, basic_constraint, pem, upper(sha256_fingerprint)"
    local rows = here:rows(("SELECT %s FROM curl_certificate WHERE hostname = '%s'"):format(columns, host))
    local pem = here:list(("SELECT pem FROM curl_certificate WHERE hostname = '%s' AND dump_certificate = 1 AND timeout = 9")
      :format(host))
    stop()
    if here:warnings():find("no network client", 1, true) then
      pending("no libcurl here")
      return
    end
    local print = tables.shell(("openssl x509 -in %s/c -noout -fingerprint -sha256"):format(folder))
    assert.are.same({ {
      "peer", "Org", "Unit", "peer", "1234", 3, "ecdsa-with-SHA256", "Digital Signature",
      "TLS Web Server Authentication, 1.2.3.4", "1.2.3", "DNS:a.example, IP Address:192.0.2.1, URI:http://u, email:m@x",
      "OCSP - URI:http://ocsp.example", 0, "CA:TRUE, pathlen:1", "", (print:match("=(%S+)"):gsub(":", "")),
    } }, rows)
    local file <close> = assert(io.open(folder .. "/c"))
    assert.are.equal(file:read("a"), (pem[1]:gsub("%s*$", "\n")))
  end)

  it("says why there is none", function()
    assert.are.same({}, here:rows "SELECT * FROM curl_certificate WHERE hostname IN ('127.0.0.1:1', '', 'a/b', 'x@y')")
    assert.is_truthy(here:warnings():find("curl_certificate: 127.0.0.1:1", 1, true))
  end)
end)

-- The way to a backend: HTTP/2 through nginx, as hosted backends have it, our own certificate, a pinned key, a proxy.
local backend = require "tests.system.backend"
local servers = require "tests.fixtures.net.server"
local support = require "tests.system.support"
local watched = require "tests.system.watched"

local run = support.run

local has_nginx = run("command -v nginx").code == 0

local server

setup(function()
  server = backend.start()
end)

teardown(function()
  server:stop()
end)

after_each(function()
  watched.end_all()
  server:check()
end)

--- sha256//… of the public key of a certificate.
local function pin_of(certificate)
  local pin = run(("openssl x509 -in %s -pubkey -noout | openssl pkey -pubin -outform der | openssl dgst -sha256 -binary | base64")
    :format(certificate))
  assert(#pin.out > 40, pin.err)
  return "sha256//" .. pin.out:match "%S+"
end

--- nginx in front of the backend, which speaks HTTP/2 and wants a certificate of ours; `body(port, log)` meanwhile.  Port 0 cannot be
--- asked of nginx: a free one is looked for.
local function beside_nginx(body)
  local dir = support.new_path()
  assert(os.execute("mkdir -p " .. dir .. "/temp"))
  local port = run([[python3 -c 'import socket; s = socket.create_server(("127.0.0.1", 0)); print(s.getsockname()[1])']]).out:match "%d+"
  support.write(dir .. "/nginx.conf", ([[
daemon off; master_process off; pid DIR/pid; error_log DIR/error.log;
events {}
http {
  log_format seen "$server_protocol $request_uri $ssl_client_verify $status $connection";
  access_log DIR/access.log seen;
  client_body_temp_path DIR/temp; proxy_temp_path DIR/temp; fastcgi_temp_path DIR/temp; uwsgi_temp_path DIR/temp;
  scgi_temp_path DIR/temp;
  client_max_body_size 16m;
  server {
    listen 127.0.0.1:PORT ssl http2;
    ssl_certificate BACKEND/good.pem; ssl_certificate_key BACKEND/good-key.pem;
    ssl_client_certificate BACKEND/ca.pem; ssl_verify_client on;
    location / {
      proxy_pass https://127.0.0.1:BEHIND; proxy_http_version 1.1; proxy_set_header Host localhost:BEHIND;
      proxy_set_header Connection "";
    }
  }
}
]]):gsub("%u%u%u+", { DIR = dir, PORT = port, BACKEND = server.dir, BEHIND = tostring(server.port) }))
  local pipe <close> = assert(io.popen(("exec nginx -e %s/error.log -c %s/nginx.conf >%s/said 2>&1 & echo $!"):format(dir, dir, dir)))
  local pid = pipe:read "l"
  support.await(dir .. "/pid")
  local ok, message = pcall(body, port, dir .. "/access.log")
  os.execute("kill " .. pid)
  assert(ok, message)
end

local function flags_to(port)
  return server:flags():gsub("%-%-tls_hostname=%S+", "--tls_hostname=localhost:" .. port)
end

--- A job that execs `mark`, with flags; what it and the sensor said.
local function job(flags, mark)
  local alone = support.has_namespaces and "unshare -pf --mount-proc --kill-child" or ""
  local result = run(("%s %s run --state_dir=%s --shutdown_flush_ms=15000 %s -- sh -c '/bin/echo %s >/dev/null'"):format(alone,
    support.moonwatch, support.new_path(), flags, mark))
  assert.are.equal(0, result.code, result.err)
  return result
end

--- What a sensor says that is not let in.
local function refused(flags)
  local app = watched.start(flags .. " --shutdown_flush_ms=100")
  app:await(function()
    return app:said():find "not enrolled"
  end)
  app:stop()
  return app:said()
end

describe("a backend behind nginx", function()
  it("is spoken to by HTTP/2, over one connection, with our own certificate and its pinned key", function()
    if not has_nginx then
      pending "nginx is not installed: ./setup run"
      return
    end
    beside_nginx(function(port, log)
      local before = server:last()
      job(("%s --tls_client_cert=%s/client.pem --tls_client_key=%s/client-key.pem --tls_pinned_key=%s"):format(flags_to(port), server.dir,
        server.dir, pin_of(server.dir .. "/good.pem")), "mark-h2")
      server:wait { line = { ["columns.cmdline"] = { match = "mark-h2" } }, after = before }
      local connections, paths, count = {}, {}, 0
      for line in io.lines(log) do
        local protocol, path, verified, status, connection = line:match "^(%S+) (%S+) (%S+) (%d+) (%d+)$"
        assert.are.equal("HTTP/2.0 SUCCESS", protocol .. " " .. verified, line)
        assert.are.equal("200", status, line)
        paths[path] = true
        if not connections[connection] then
          connections[connection], count = true, count + 1
        end
      end
      assert.is_true(paths[server.paths.enroll] and paths[server.paths.config] and paths[server.paths.log])
      assert.is_true(count <= 3, count .. " connections")
    end)
  end)

  it("gets nothing without that certificate, or with another key than the pinned one", function()
    if not has_nginx then
      pending "nginx is not installed: ./setup run"
      return
    end
    beside_nginx(function(port, log)
      local before = server:last()
      -- nginx takes the connection, and answers 400 to all of it.
      local without = refused(flags_to(port))
      assert.matches("not enrolled: [^\n]*400", without)
      for line in io.lines(log) do
        assert.matches(" NONE 400 ", line)
      end
      local seen = run("wc -l <" .. log).out
      assert.matches("not enrolled: [^\n]*pin", refused(("%s --tls_client_cert=%s/client.pem --tls_client_key=%s/client-key.pem "
        .. "--tls_pinned_key=%s"):format(flags_to(port), server.dir, server.dir, pin_of(server.dir .. "/client.pem"))))
      assert.are.equal(seen, run("wc -l <" .. log).out)
      assert.are.equal(before, server:last())
    end)
  end)
end)

describe("a proxy", function()
  it("is used for all of it when it is given, and the environment's is not", function()
    local ready, log = support.new_path(), support.new_path()
    support.write(log, "")
    local told, stop = servers.start(("python3 tests/fixtures/net/proxy.py %s %s"):format(ready, log), ready)
    local before = server:last()
    local ok, message = pcall(function()
      job(server:flags() .. " --proxy_hostname=127.0.0.1:" .. told.port, "mark-proxy")
      server:wait { line = { ["columns.cmdline"] = { match = "mark-proxy" } }, after = before }
      local count = 0
      for line in io.lines(log) do
        assert.are.equal(server.hostname, line)
        count = count + 1
      end
      assert.is_true(count >= 1)
      local given = "http://127.0.0.1:" .. told.port
      local direct = run(("https_proxy=%s ALL_PROXY=%s %s %s run --state_dir=%s %s -- /bin/echo mark-direct")
        :format(given, given, support.has_namespaces and "unshare -pf --mount-proc --kill-child" or "", support.moonwatch,
          support.new_path(), server:flags()))
      assert.are.equal(0, direct.code, direct.err)
      server:wait { line = { ["columns.cmdline"] = { match = "mark-direct" } }, after = before }
      assert.are.equal(count, math.tointeger(tonumber(run("wc -l <" .. log).out)))
    end)
    stop()
    assert(ok, message)
  end)
end)

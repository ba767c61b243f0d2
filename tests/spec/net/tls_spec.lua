-- The HTTP client, against a server that behaves badly.
local cjson = require "cjson"
local loop = require "moonwatch.loop"
local secret = require "moonwatch.secret"
local servers = require "tests.fixtures.net.server"
local tls = require "moonwatch.tls"

local ports, dir, stop, http, https

setup(function()
  ports, dir, stop = servers.bad()
  http = "http://127.0.0.1:" .. ports.http
  https = "https://localhost:" .. ports.https
end)

teardown(function()
  stop()
end)

local function request(options)
  return loop.run(tls.request, options)
end

local function get(path, options)
  options = options or {}
  options.url, options.plain = http .. path, true
  return request(options)
end

local function took(action, ...)
  local before = loop.now()
  local results = table.pack(action(...))
  return loop.now() - before, table.unpack(results, 1, results.n)
end

describe("a request", function()
  it("gets status, headers and body", function()
    local answer = assert(get("/echo?a=b", { headers = { ["X-Thing"] = "yes" } }))
    assert.are.equal(200, answer.status)
    assert.are.equal("application/json", answer.headers["content-type"])
    local seen = cjson.decode(answer.body)
    assert.are.equal("GET", seen.method)
    assert.are.equal("/echo?a=b", seen.path)
    assert.are.equal("yes", seen.headers["x-thing"])
    assert.matches("^moonwatch/", seen.headers["user-agent"])
  end)

  it("sends a body, packed where that is asked for", function()
    for _, packed in ipairs { false, true } do
      local answer = assert(get("/echo", { body = ("body "):rep(2000), gzip = packed }))
      local seen = cjson.decode(answer.body)
      assert.are.equal("POST", seen.method)
      assert.are.equal(("body "):rep(2000), seen.body)
      assert.are.equal(packed and "gzip" or nil, seen.headers["content-encoding"])
      assert.is_true(not packed or tonumber(seen.headers["content-length"]) < 200)
    end
  end)

  it("takes a packed answer", function()
    assert.are.equal("unpacked", assert(get "/packed").body)
  end)

  it("sends and takes secrets that are not seen", function()
    local answer = assert(get("/echo", { secret = true, body = secret.new "hidden", headers = { Authorization = secret.new "key" } }))
    assert.are.equal("***", tostring(answer.body))
    local seen = cjson.decode(answer.body:reveal())
    assert.are.equal("hidden", seen.body)
    assert.are.equal("key", seen.headers.authorization)
  end)

  it("refuses headers that would be two", function()
    assert.has_error(function()
      get("/echo", { headers = { A = "b\r\nC: d" } })
    end)
    assert.has_error(function()
      get("/echo", { headers = { A = secret.new "b\nC: d" } })
    end)
  end)

  it("keeps the connection for the next, unless it is to be alone", function()
    local function client(options)
      return cjson.decode(assert(get("/echo", options)).body).client
    end
    local first = client()
    assert.are.equal(first, client())
    assert.are_not.equal(first, client { alone = true })
  end)

  it("asks no proxy of the environment", function()
    local path = os.tmpname()
    local file <close> = assert(io.open(path, "w"))
    file:write(([[
      local loop, tls = require "moonwatch.loop", require "moonwatch.tls"
      local answer = assert(loop.run(tls.request, { url = "%s/ok", plain = true }))
      assert(answer.status == 200)
    ]]):format(http))
    file:flush()
    local proxy = "http://127.0.0.1:1"
    assert.is_true(os.execute(("http_proxy=%s https_proxy=%s ALL_PROXY=%s %s/bin/moonwatch lua %s"):format(
      proxy, proxy, proxy, os.getenv "MW_BUILD" or "build", path)))
    os.remove(path)
  end)

  it("uses the proxy that is given", function()
    local seen = cjson.decode(assert(request {
      url = "http://example.invalid/echo", plain = true, proxy = http,
    }).body)
    assert.are.equal("example.invalid", seen.headers.host)
  end)

  it("goes beside others", function()
    local ended = {}
    local ms = took(loop.run, function()
      for i = 1, 5 do
        loop.spawn(function()
          local _, _, code = tls.request { url = http .. "/hang", plain = true, total_ms = 400 }
          ended[i] = code
        end)
      end
      while #ended < 5 do
        loop.sleep(10)
      end
    end)
    assert.are.same({ "ETIMEDOUT", "ETIMEDOUT", "ETIMEDOUT", "ETIMEDOUT", "ETIMEDOUT" }, ended)
    assert.is_true(ms < 1500, ms)
  end)
end)

describe("TLS", function()
  it("is checked against the authorities given", function()
    assert.are.equal(200, assert(request { url = https .. "/ok", ca_file = dir .. "/ca.pem" }).status)
    for _, file in ipairs { dir .. "/other-ca.pem", false } do
      local answer, message, code = request { url = https .. "/ok", ca_file = file or nil }
      assert.is_nil(answer)
      assert.are.equal("EKEYREJECTED", code)
      assert.matches("certificate", message)
    end
    local _, _, code = request { url = https .. "/ok", ca_file = "/no/such/file" }
    assert.are.equal("EKEYREJECTED", code)
  end)

  it("is checked for the name", function()
    local answer, _, code = request {
      url = ("https://other.invalid:%d/ok"):format(ports.https), ca_file = dir .. "/ca.pem",
      resolve = ("other.invalid:%d:127.0.0.1"):format(ports.https),
    }
    assert.is_nil(answer)
    assert.are.equal("EKEYREJECTED", code)
  end)

  it("wants the key that is pinned", function()
    local pipe <close> = assert(io.popen(("openssl x509 -in %s/server.pem -pubkey -noout | openssl pkey -pubin -outform der | "
      .. "openssl dgst -sha256 -binary | base64"):format(dir)))
    local pin = "sha256//" .. pipe:read "l"
    local ca = dir .. "/ca.pem"
    assert.are.equal(200, assert(request { url = https .. "/ok", ca_file = ca, pinned_key = pin }).status)
    local _, _, code = request {
      url = https .. "/ok", ca_file = ca, pinned_key = "sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
    }
    assert.are.equal("EKEYREJECTED", code)
  end)

  it("shows a certificate of our own", function()
    local url = ("https://localhost:%d/ok"):format(ports.mutual)
    local ca, client = dir .. "/ca.pem", dir .. "/client.pem"
    assert.are.equal(200, assert(request { url = url, ca_file = ca, cert_file = client, key_file = client }).status)
    assert.is_nil((request { url = url, ca_file = ca }))
  end)

  it("is not left out unasked", function()
    local answer, message, code = request { url = http .. "/ok" }
    assert.is_nil(answer)
    assert.are.equal("EPROTONOSUPPORT", code)
    assert.matches("https", message)
    for _, url in ipairs { "file:///etc/passwd", "ftp://127.0.0.1/", "nonsense", "" } do
      assert.is_nil((request { url = url, plain = true }), url)
    end
  end)
end)

describe("an answer that", function()
  it("does not come ends in time", function()
    local ms, answer, message, code = took(get, "/hang", { total_ms = 300 })
    assert.is_nil(answer)
    assert.are.equal("ETIMEDOUT", code)
    assert.matches("127.0.0.1", message, 1, true)
    assert.is_true(ms >= 290 and ms < 2000, ms)
  end)

  it("comes byte by byte ends in time", function()
    local ms, _, _, code = took(get, "/slow", { total_ms = 500 })
    assert.are.equal("ETIMEDOUT", code)
    assert.is_true(ms < 2000, ms)
  end)

  it("is too large is refused", function()
    for _, path in ipairs { "/huge", "/bomb", "/headers" } do
      local _, message, code = get(path)
      assert.are.equal("EFBIG", code, path)
      assert.matches("larger than", message)
    end
    assert.are.equal("EFBIG", select(3, get("/echo", { answer_bytes = 10 })))
  end)

  it("leads elsewhere is followed to the same place alone, and only when asked", function()
    assert.are.equal(302, assert(get "/near").status)
    assert.are.equal("/echo", cjson.decode(assert(get("/near", { follow = true })).body).path)
    local _, message, code = get("/away", { follow = true })
    assert.are.equal("EACCES", code)
    assert.matches("127.0.0.2", message, 1, true)
    assert.are.equal(302, assert(get("/round", { follow = true })).status)
    assert.are.equal(302, assert(get("/near", { follow = true, body = "x" })).status)
  end)

  it("nobody gives is an error that says where", function()
    local _, message, code = request { url = "http://127.0.0.1:1/path?secret", plain = true }
    assert.are.equal("ECONNREFUSED", code)
    assert.matches("http://127.0.0.1:1", message, 1, true)
    assert.is_nil(message:find("secret", 1, true))
    assert.are.equal("ENOENT", select(3, request { url = "https://nobody.invalid/", total_ms = 8000 }))
  end)
end)

describe("addresses of containers", function()
  it("are those of this machine, ECS and EKS, whatever the name", function()
    assert.are.equal(200, assert(get("/ok", { container_only = true })).status)
    local url = ("http://metadata.invalid:%d/ok"):format(ports.http)
    assert.are.equal(200, assert(request {
      url = url, plain = true, container_only = true, resolve = ("metadata.invalid:%d:127.0.0.1"):format(ports.http),
    }).status)
    for _, address in ipairs { "192.0.2.1", "169.254.169.254", "[2001:db8::1]", "10.0.0.1" } do
      local ms, answer, _, code = took(request, {
        url = url, plain = true, container_only = true, resolve = ("metadata.invalid:%d:%s"):format(ports.http, address),
      })
      assert.is_nil(answer)
      assert.are.equal("EACCES", code)
      assert.is_true(ms < 1000)
    end
  end)
end)

describe("a task", function()
  it("fails with where it failed", function()
    local ok, message = pcall(loop.run, function()
      loop.sleep(1)
      error("broken")
    end)
    assert.is_false(ok)
    assert.matches("tls_spec.lua:%d+: broken", message)
  end)

  it("that failed beside does not go unseen", function()
    local ok, message = pcall(loop.run, function()
      loop.spawn(function()
        loop.sleep(1)
        error("beside")
      end)
      loop.sleep(5000)
    end)
    assert.is_false(ok)
    assert.matches("beside", message)
  end)

  it("is what can wait, and nothing else", function()
    for _, wrong in ipairs {
      function()
        loop.sleep(1)
      end,
      function()
        loop.run(coroutine.wrap(function()
          loop.sleep(1)
        end))
      end,
    } do
      local ok, message = pcall(wrong)
      assert.is_false(ok)
      assert.matches("only a task can", message)
    end
    assert.has_error(function()
      loop.run(loop.run, function() end)
    end)
  end)

  it("gives its results, also when it never waits", function()
    assert.are.same({ 1, nil, 3 }, { loop.run(function(...) return ... end, 1, nil, 3) })
    assert.are.equal(4, loop.run(function(n)
      loop.sleep(1)
      return n
    end, 4))
  end)
end)

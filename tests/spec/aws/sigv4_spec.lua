-- The signer, by the official vectors; see tests/fixtures/sigv4/SOURCES.md.
local cjson = require "cjson"
local sigv4 = require "moonwatch.sigv4"

local FIXTURES = "tests/fixtures/sigv4/"

local function read(path)
  local file <close> = assert(io.open(path, "rb"))
  return (file:read("a"):gsub("\r\n", "\n"))
end

local function lines_of(command)
  local list = {}
  local pipe <close> = assert(io.popen(command))
  for line in pipe:lines() do
    list[#list + 1] = line
  end
  return list
end

-- Unpack a suite; its folder.
local function unpack_suite(name)
  local dir = os.tmpname()
  assert(os.execute(("rm %s && mkdir %s && tar -xzf %s%s.tar.gz -C %s"):format(dir, dir, FIXTURES, name, dir)))
  return dir .. "/" .. name
end

-- A raw HTTP request: method, path, query, headers as a list, body.
local function parse(text)
  local head, body = text:match "^(.-)\n\n(.*)$"
  head = head or text:gsub("\n$", "")
  local request = { headers = {}, body = body or "" }
  local number = 0
  for line in head:gmatch "[^\n]+" do
    number = number + 1
    if number == 1 then
      local target
      request.method, target = line:match "^(%u+) (.-) HTTP/1%.1$"
      request.path, request.query = target:match "^([^?]*)%??(.*)$"
    elseif line:find "^%s" then -- goes on with the one before
      local last = request.headers[#request.headers]
      last[2] = last[2] .. "\n" .. line
    else
      local name, value = line:match "^([^:]+):(.*)$"
      request.headers[#request.headers + 1] = { name, value }
    end
  end
  return request
end

local function encode(text)
  return (text:gsub("[^%w%-_.~]", function(c)
    return ("%%%02X"):format(c:byte())
  end))
end

local function check(request, canonical, to_sign, signature)
  assert.are.equal(canonical, sigv4.canonical(request):reveal())
  assert.are.equal(to_sign, sigv4.to_sign(request):reveal())
  assert.are.equal(signature, sigv4.signature(request))
end

describe("aws-c-auth-v4:", function()
  local root = unpack_suite "aws-c-auth-v4"
  local cases = lines_of("ls " .. root)

  it("all cases are there", function()
    assert.are.equal(38, #cases)
  end)

  local function load(case)
    local dir = ("%s/%s/"):format(root, case)
    local context = cjson.decode(read(dir .. "context.json"))
    local request = parse(read(dir .. "request.txt"))
    request.region, request.service = context.region, context.service
    request.key_id, request.key = context.credentials.access_key_id, context.credentials.secret_access_key
    request.date = context.timestamp:gsub("[-:]", "")
    request.keeps_path = not context.normalize
    return dir, context, request, not context.omit_session_token and context.credentials.token
  end

  for _, case in ipairs(cases) do
    it(case .. ", by header", function()
      local dir, context, request, token = load(case)
      local headers = request.headers
      headers[#headers + 1] = { "X-Amz-Date", request.date }
      if token then
        headers[#headers + 1] = { "X-Amz-Security-Token", token }
      end
      if context.sign_body then
        local hash = read(dir .. "header-canonical-request.txt"):match "([^\n]+)$"
        headers[#headers + 1] = { "x-amz-content-sha256", hash }
      end
      check(request, read(dir .. "header-canonical-request.txt"), read(dir .. "header-string-to-sign.txt"),
        read(dir .. "header-signature.txt"))
      local signed = read(dir .. "header-signed-request.txt"):match "\nAuthorization:([^\n]+)"
      assert.are.equal(signed, sigv4.authorization(request))
    end)

    it(case .. ", by query", function()
      local dir, context, request, token = load(case)
      local names = {}
      for name in read(dir .. "query-signed-request.txt"):match("SignedHeaders=([^&]+)"):gsub("%%3B", ";"):gmatch "[^;]+" do
        names[#names + 1] = name
      end
      local credential = ("%s/%s/%s/%s/aws4_request"):format(request.key_id, request.date:sub(1, 8), request.region, request.service)
      request.query = ("%s&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=%s&X-Amz-Date=%s&X-Amz-Expires=%d&X-Amz-SignedHeaders=%s%s")
        :format(request.query, encode(credential), request.date, context.expiration_in_seconds, encode(table.concat(names, ";")),
          token and "&X-Amz-Security-Token=" .. encode(token) or "")
      check(request, read(dir .. "query-canonical-request.txt"), read(dir .. "query-string-to-sign.txt"),
        read(dir .. "query-signature.txt"))
    end)
  end
end)

describe("aws4_testsuite:", function()
  local root = unpack_suite "aws4_testsuite"
  local cases = lines_of("find " .. root .. " -name '*.req' | sort")

  it("all cases are there", function()
    assert.are.equal(34, #cases)
  end)

  for _, path in ipairs(cases) do
    local base = path:gsub("%.req$", "")
    it(base:match "[^/]+$", function()
      local request = parse(read(path))
      request.region, request.service = "us-east-1", "service"
      request.key_id, request.key = "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
      request.date = "20150830T123600Z"
      local expected = read(base .. ".creq")
      local token = expected:match "\nx%-amz%-security%-token:([^\n]+)"
      if token and not read(path):find "X%-Amz%-Security%-Token" then
        table.insert(request.headers, { "X-Amz-Security-Token", token }) -- the case gives it beside the request
      end
      check(request, expected, read(base .. ".sts"), read(base .. ".authz"):match "Signature=(%x+)")
      assert.are.equal(read(base .. ".authz"):gsub("\n$", ""), (sigv4.authorization(request)))
    end)
  end
end)

describe("what is sent to SSM and Secrets Manager:", function()
  local vectors = cjson.decode(read(FIXTURES .. "ssm-secretsmanager-json-post.json")).vectors
  assert(#vectors == 11)
  for _, vector in ipairs(vectors) do
    it(vector.name, function()
      local request = {
        method = vector.method, region = vector.region, service = vector.service, date = vector.timestamp, body = vector.body,
        key_id = vector.access_key_id, key = vector.secret_access_key,
        headers = {
          { "host", (vector.url:match "^https?://([^/]+)/"):gsub(":443$", "") },
          { "x-amz-date", vector.timestamp },
        },
      }
      for name, value in pairs(vector.headers) do
        table.insert(request.headers, { name, value })
      end
      if type(vector.session_token) == "string" then
        table.insert(request.headers, { "X-Amz-Security-Token", vector.session_token })
      end
      check(request, vector.canonical_request, vector.string_to_sign, vector.signature)
      assert.are.equal(vector.authorization, sigv4.authorization(request))
    end)
  end
end)

describe("a request that cannot be signed", function()
  local function request(more)
    local made = { date = "20150830T123600Z", region = "r", service = "s", key_id = "k", key = "x", headers = { { "Host", "h" } } }
    for name, value in pairs(more) do
      made[name] = value
    end
    return made
  end

  it("is refused", function()
    for _, more in ipairs { { date = "today" }, { region = ("r"):rep(300) }, { path = ("/a"):rep(300) },
      { query = ("a=b&"):rep(300) }, { headers = { { "Host", ("h"):rep(70000) } } }, { key_id = ("k"):rep(5000) } } do
      local value, message = sigv4.authorization(request(more))
      assert.is_nil(value)
      assert.matches("cannot be signed", message)
    end
    assert.has_error(function()
      local headers = {}
      for i = 1, 70 do
        headers[i] = { "h" .. i, "v" }
      end
      sigv4.authorization(request { headers = headers })
    end)
  end)

  it("unless it is as large as that", function()
    assert.is_string(sigv4.authorization(request { body = ("b"):rep(1 << 20), headers = { { "Host", ("h"):rep(30000) } } }))
  end)
end)

describe("times", function()
  it("are written and read as AWS has them", function()
    assert.are.equal("20150830T123600Z", sigv4.date(1440938160))
    assert.are.equal(1440938160, sigv4.time "2015-08-30T12:36:00Z")
    assert.are.equal(1440938160, sigv4.time "2015-08-30T12:36:00.123Z")
    assert.are.equal(1440938160, sigv4.time "Sun, 30 Aug 2015 12:36:00 GMT")
    for _, text in ipairs { "", "today", "2015-08-30", "2015-08-30T12:36:00", "2015-13-30T12:36:00Z" } do
      assert.is_nil(sigv4.time(text), text)
    end
  end)
end)

-- Handles of secrets, and what can be taken out of them.
local secret = require "moonwatch.secret"

describe("a secret", function()
  it("is not printed", function()
    assert.are.equal("***", tostring(secret.new "hidden"))
    assert.are.equal(6, #secret.new "hidden")
    assert.are.equal("hidden", secret.new("hidden"):reveal())
  end)

  it("is joined, cut and quoted", function()
    assert.are.equal("abc", secret.join({ "a", secret.new "b", "c" }):reveal())
    assert.are.equal("a b", secret.new("a b \r\n"):trim():reveal())
    assert.are.equal([["a\"\\\u000a\u0000ü"]], secret.new('a"\\\n\0ü'):quote():reveal())
    assert.are.equal("a%2Fb%20%2B~%00", secret.new("a/b +~\0"):encode():reveal())
    assert.is_true(secret.new("abc"):is_printable())
    for _, text in ipairs { "a\n", "\0", "a\127b", "\r" } do
      assert.is_false(secret.new(text):is_printable())
    end
  end)

  it("is decoded from base64", function()
    assert.are.equal("\0\1\2\3\4\255\254", secret.new("AAECAwT//g=="):base64():reveal())
    assert.are.equal("", secret.new(""):base64():reveal())
    assert.is_nil(secret.new("no base64!"):base64())
  end)

  it("is of no use once closed", function()
    local closed = secret.new "x"
    closed:close()
    closed:close()
    assert.error_matches(function()
      closed:reveal()
    end, "closed secret")
  end)

  it("is read from files, up to a limit", function()
    local path = os.tmpname()
    local file <close> = assert(io.open(path, "wb"))
    file:write "from a file\n"
    file:flush()
    assert.are.equal("from a file\n", secret.file(path):reveal())
    file:write(("x"):rep(64 << 10))
    file:flush()
    assert.are.equal("EFBIG", select(3, secret.file(path)))
    os.execute("chmod 666 " .. path)
    local _, message, code = secret.file(path)
    assert.are.equal("EPERM", code)
    assert.matches("chmod", message)
    os.remove(path)
    assert.are.equal("ENOENT", select(3, secret.file(path)))
    assert.are.equal("EISDIR", select(3, secret.file "/etc"))
  end)
end)

describe("JSON in a secret", function()
  local function get(text, name)
    return secret.new(text):get(name)
  end

  it("gives its members", function()
    assert.are.equal("x", get('{"a":"x"}', "a"))
    assert.are.equal(-12.5, get('{"b":1, "a":-1.25e1}', "a"))
    assert.are.equal(true, get(' {"a" : true } ', "a"))
    assert.are.equal("last", get('{"a":"first","a":"last"}', "a"))
    assert.is_nil(get('{"a":null}', "a"))
    assert.is_nil(get('{"b":{"a":"x"}}', "a"))
    assert.are.equal("{\"a\":[1, 2]}", secret.new('{"b":{"a":[1, 2]}}'):member("b"):reveal())
    assert.are.equal("7", secret.new('{"b":7}'):member("b"):reveal())
    local _, message, code = secret.new('{"b":7}'):member "c"
    assert.are.equal('has no member "c"', message)
    assert.are.equal("ENOENT", code)
    local kinds = { null = "null", ["true"] = "boolean", ["1"] = "number", ['""'] = "string", ["[]"] = "array", ["{}"] = "object" }
    for text, kind in pairs(kinds) do
      assert.are.equal(kind, secret.new('{"a":' .. text .. "}"):type "a")
    end
  end)

  it("is unescaped", function()
    assert.are.equal("\"\\/\b\f\n\r\t\0é€😀", get([[{"a":"\"\\\/\b\f\n\r\t\u0000\u00e9\u20AC\ud83d\ude00"}]], "a"))
    assert.are.equal("\u{FFFD}x", get([[{"a":"\ud83dx"}]], "a"))
    assert.are.equal("\u{FFFD}A", get([[{"a":"\ud83d\u0041"}]], "a"))
  end)

  it("is refused when it is none", function()
    for _, text in ipairs {
      "", "{", "}", '{"a"}', '{"a":}', '{"a":1,}', '{a:1}', '{"a":1}x', '{"a":01x}', '{"a":"\n"}', [[{"a":"\x"}]], [[{"a":"\u12"}]],
      '{"a":+1}', '{"a":1.}', '{"a":.5}', '{"a":1e}', '{"a":nul}', '{"a":tru', "\0", '{"a":"x', '{"a":"x\\', '{"a":-}', "<html>",
      ('{"a":'):rep(40) .. "1" .. ("}"):rep(40), ("["):rep(100000),
    } do
      local value, message, code = get(text, "a")
      assert.is_nil(value, text)
      assert.are.equal("is not JSON", message, text)
      assert.are.equal("EPROTO", code)
    end
    for _, text in ipairs { "[]", '"text"', "7", "null" } do
      assert.are.equal("is no JSON object", select(2, get(text, "a")))
    end
  end)
end)

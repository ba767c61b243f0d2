-- Functions of SQL: their own examples, odd arguments, and limits.
local sql = require "moonwatch.sql"

local database <const> = assert(sql.open { time_ms = 20000 })

--- The first value of `SELECT expression` as a text, or nil and a message; NULL is false.
local function value(expression, in_database)
  local query <close>, message = (in_database or database):prepare("SELECT " .. expression)
  if not query then
    return nil, message
  end
  local row, failure = query:texts()
  if not row then
    return nil, failure
  end
  return row[1] or false
end

local function expect(expected, expression)
  local found, message = value(expression)
  assert.is_not_nil(found, expression .. ": " .. tostring(message))
  assert.are.equal(expected, found, expression)
end

local function expect_failure(words, expression)
  local found, message = value(expression)
  assert.is_nil(found, expression)
  assert.is_truthy(message:find(words, 1, true), expression .. ": " .. message)
end

describe("every function", function()
  local seen = {}
  for _, declared in ipairs(sql.functions()) do
    it(declared.name .. " does what its example says", function()
      assert.is_nil(seen[declared.name], "declared twice")
      seen[declared.name] = true
      assert.is_truthy(declared.doc:find("%.$"))
      assert.is_truthy(declared.family)
      assert.is_truthy(declared.example:lower():find(declared.name, 1, true))
      expect(declared.result or false, declared.example)
    end)

    it(declared.name .. " takes NULL", function()
      if declared.least == 0 then
        return assert.is_not_nil(value(declared.name .. "()") or declared.name:find("^concat"))
      end
      local nulls = ("NULL, "):rep(declared.least):sub(1, -3)
      local found, message = value(("%s(%s)"):format(declared.name, nulls))
      assert.is_true(found == false or declared.name:find("_strict$") and message ~= nil, message)
      database:warnings()
    end)

    it(declared.name .. " takes texts, numbers and blobs in any place", function()
      for _, odd in ipairs { "''", "0", "-1", "1e308", "9223372036854775807", "x'00ff80'", "'é'", "'('" } do
        for at = 1, math.min(declared.most, 3) do
          local given = {}
          for i = 1, math.max(declared.least, at) do
            given[i] = i == at and odd or "'1'"
          end
          local _, message = value(("%s(%s)"):format(declared.name, table.concat(given, ", ")))
          -- A refusal is one of the function, not of SQLite for lack of it.
          assert.is_nil((message or ""):find("no such function", 1, true))
        end
      end
      database:warnings()
    end)
  end

  it("has an end to its arguments", function()
    expect_failure("wrong number of arguments", "split('a')")
    expect_failure("wrong number of arguments", "community_id_v1('a', 'b', 1, 2, 3, 4, 5)")
  end)
end)

describe("texts", function()
  it("are joined without NULL", function()
    expect("", "concat()")
    expect("", "concat(NULL, NULL)")
    expect("1a2.5", "concat(1, 'a', 2.5)")
    expect("", "concat_ws(',')")
    expect("a,,b", "concat_ws(',', 'a', '', NULL, 'b')")
    expect(false, "concat_ws(NULL, 'a')")
    expect_failure("needs a separator", "concat_ws()")
  end)

  it("are split as osquery splits them", function()
    expect("168", "split('192.168.0.1', '.', 1)")
    expect("192", "split('192.168.0.1', '.0', 0)")
    expect("00", "split(1001, 1, 0)")
    expect("b", "split('a,, b ,c', ',', 1)")
    expect("", "split(' ,a', ',', 0)")
    expect(false, "split('a,b', ',', 2)")
    expect(false, "split('a,b', ',', -1)")
    expect(false, "split('', ',', 0)")
    expect_failure("no separator", "split('a', '', 0)")
  end)

  it("are counted in characters", function()
    expect("日本", "leftstr('日本語', 2)")
    expect("語", "rightstr('日本語', 1)")
    expect("語本日", "reverse('日本語')")
    expect("3", "charindex('語', '日本語')")
    expect("  é", "padl('é', 3)")
    expect("本", "strfilter('日本語', '本x')")
    expect("", "leftstr('abc', -1)")
    expect("abc", "rightstr('abc', 9)")
    expect("0", "charindex('', 'abc')")
    expect("0", "charindex('a', 'abc', 2)")
    expect("FF80", "hex(reverse(x'80ff'))") -- no characters: bytes
  end)

  it("do not grow beyond a limit", function()
    expect_failure("too big", "replicate('0123456789', 9223372036854775807)")
    expect_failure("too big", "padl('', 1 << 60)")
    expect("16777216", "length(replicate('a', 16777216))")
    expect("", "replicate('', 9223372036854775807)")
    expect_failure("less than", "replicate('a', -1)")
    expect_failure("too many characters", "strfilter('a', replicate('b', 5000))")
  end)
end)

describe("regular expressions", function()
  it("give groups", function()
    expect("hello world", [[regex_match('hello world. Goodbye', '(\w+) \w+', 0)]])
    expect("hello", [[regex_match('hello world. Goodbye', '(\w+) \w+', 1)]])
    expect(false, "regex_match('abc', 'b', 1)")
    expect(false, "regex_match('abc', 'b', -1)")
    expect(false, "regex_match('abc', 'x', 0)")
    expect("", "regex_match('abc', '(x)?b', 1)") -- took no part
    expect("", "regex_match('', '^$', 0)")
    expect("12", "regex_match(5123, '12', 0)")
    expect("\u{e9}", "regex_match('caf\u{e9}!', 'f(.+)!', 1)")
    expect("62", "hex(regex_match(x'610062', '[^a\\x00]', 0))") -- on bytes, zero among them
  end)

  it("split", function()
    expect("192.168", [[regex_split('192.168.0.1', '\.0', 0)]])
    expect("", "regex_split(',a', ',', 0)")
    expect("a", "regex_split(',a', ',', 1)")
    expect(false, "regex_split('a,', ',', 1)")
    expect("a", "regex_split('a', ',', 0)")
    expect("", "regex_split('', ',', 0)")
    expect("c", "regex_split('abc', 'x*', 2)")
    expect(false, "regex_split('abc', 'x*', 3)")
    expect_failure("pattern is empty", "regex_split('a', '', 0)")
  end)

  it("are an operator", function()
    expect("1", "'abc' REGEXP '^a'")
    expect("0", "'abc' REGEXP '^b'")
    expect(false, "NULL REGEXP 'a'")
  end)

  it("that are wrong are refused with the place", function()
    expect_failure("wrong at character 3: missing closing parenthesis", "regex_match('a', '(a', 0)")
    expect_failure("wrong at", ("regex_match('a', '%s', 0)"):format(("("):rep(60) .. (")"):rep(60)))
    expect_failure("wrong at", "regex_match('a', replicate('a', 5000), 0)")
    expect_failure("wrong at", "regex_match('a', '((a{1,999}){1,999}){1,999}', 0)")
    expect_failure("wrong at", "regex_match('a', '(*UTF)a', 0)")
  end)

  -- Each ends in what is not there, but not in one character alone: PCRE2 would look for that first.
  for name, expression in pairs {
    ["repetition in repetition"] = [[regex_match(replicate('a', 60) || '!', '(a+)+$', 0)]],
    ["many of them"] = [[regex_match(replicate('a', 4000), '(a+a+)+[bc]|(a|aa)+[bc]', 0)]],
    ["a long text"] = [[regex_match(replicate('a', 4000000), 'a*?[bc]', 0)]],
    ["back references"] = [[regex_match(replicate('ab', 20000), '(.*)(.*)(.*)\1\2\3[xy]', 0)]],
    ["all in one item"] = [[regex_match(replicate('a', 8000000), '[^x]*[^y]*+[yz]', 0)]],
    ["a split"] = [[regex_split(replicate('a', 3000), '(a+)+[bc]', 0)]],
  } do
    it("stop: " .. name, function()
      local before = os.clock()
      expect_failure("the regular expression takes too long", expression)
      assert.is_true(os.clock() - before < 6)
    end)
  end

  it("stop with the query", function()
    local hurried <close> = assert(sql.open { time_ms = 200 })
    local before = os.clock()
    local _, message = value("regex_match(replicate('a', 4000000), 'a*?[bc]', 0)", hurried)
    assert.is_truthy(message:find("stopped after 200 ms", 1, true), message)
    assert.is_true(os.clock() - before < 3)
  end)

  it("are kept between rows", function()
    expect("100000", [[count(*) FROM (WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c
      WHERE x < 100000) SELECT x FROM c) WHERE regex_match('worker ' || x, '(\d+)$', 1) = x || '']])
  end)

  it("may come from a column", function()
    expect("b,c", "group_concat(regex_match('abc', column1, 0)) FROM (VALUES ('b'), ('c'))")
  end)
end)

describe("addresses", function()
  it("are numbers", function()
    expect("4294967295", "inet_aton('255.255.255.255')")
    expect(false, "inet_aton('::1')")
    expect(false, "inet_aton('1.2.3')")
    expect(false, "inet_aton('')")
  end)

  it("are in blocks", function()
    expect("1", "in_cidr_block('2001:db8::/48', '2001:db8:0:ffff:ffff:ffff:ffff:ffff')")
    expect("0", "in_cidr_block('2001:db8::/48', '2001:db8:1::')")
    expect("0", "in_cidr_block('10.0.0.0/26', '10.0.0.64')")
    expect("1", "in_cidr_block('10.0.0.9/26', '10.0.0.63')")
    expect("1", "in_cidr_block('0.0.0.0/0', '255.1.2.3')")
    expect("1", "in_cidr_block('10.1.2.3/32', '10.1.2.3')")
    expect("1", "in_cidr_block('10.1.2.3', '10.1.2.3')")
    expect("0", "in_cidr_block('10.0.0.0/8', '::1')")
    expect(false, "in_cidr_block('10.0.0.0/8', '')")
    expect(false, "in_cidr_block('10.0.0.0/8', 'localhost')")
    for _, wrong in ipairs { "", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/-1", "10.0/8", "10.0.0.0/8x", "::/129",
      ("1"):rep(100) } do
      expect_failure("the block must be", ("in_cidr_block('%s', '1.2.3.4')"):format(wrong))
    end
  end)
end)

-- Of the specification's own tests.
describe("the Community ID", function()
  for expected, arguments in pairs {
    ["1:LQU9qZlK+B5F3KDmev6m5PMibrg="] = "'128.232.110.120', '66.35.250.204', 34855, 80, 6",
    ["1:d/FP5EW3wiY1vCndhwleRRKHowQ="] = "'192.168.1.52', '8.8.8.8', 54585, 53, 17",
    ["1:jQgCxbku+pNGw8WPbEc/TS/uTpQ="] = "'192.168.170.8', '192.168.170.56', 7, 80, 132",
    ["1:X0snYXpgwiv9TZtqg64sgzUn6Dk="] = "'192.168.0.89', '192.168.0.1', 8, 0, 1",
    ["1:dGHyGvjMfljg6Bppwm3bg0LO8TY="] = "'fe80::200:86ff:fe05:80da', 'fe80::260:97ff:fe07:69ea', 135, 0, 58",
    ["1:rxU6O+b2d9kbSWjRmVDoBbowx6g="] = "'66.35.250.204', '2001:0:3238:DFE1:63::FEFB', 80, 2347, 6",
    ["1:jmJ2ORP31di4mtsQPIKzyoEb3yo="] = "'66.35.250.204', '2001:0:3238:DFE1:63::FEFB', 80, 2347, 6, 37",
  } do
    it(expected .. " is given", function()
      expect(expected, ("community_id_v1(%s)"):format(arguments))
      expect(expected, ("community_id_v1_strict(%s)"):format(arguments))
    end)
  end

  it("is the same both ways", function()
    expect("1", "community_id_v1('1.2.3.4', '5.6.7.8', 10, 20, 6) = community_id_v1('5.6.7.8', '1.2.3.4', 20, 10, 6)")
  end)

  it("warns, or fails, when there is none", function()
    database:warnings()
    for arguments, words in pairs {
      ["'', '8.8.8.8', 1, 2, 6"] = "source is no IP",
      ["'8.8.8.8', NULL, 1, 2, 6"] = "destination is no IP",
      ["'8.8.8.8', '8.8.4.4', 65536, 2, 6"] = "port of the source",
      ["'8.8.8.8', '8.8.4.4', 1, -1, 6"] = "port of the destination",
      ["'8.8.8.8', '8.8.4.4', 1, 2, 256"] = "protocol",
      ["'8.8.8.8', '8.8.4.4', 1, 2, 6, 'x'"] = "seed",
    } do
      expect(false, ("community_id_v1(%s)"):format(arguments))
      assert.is_truthy(database:warnings():find(words, 1, true))
      expect_failure(words, ("community_id_v1_strict(%s)"):format(arguments))
    end
  end)
end)

describe("hashes", function()
  it("are of the bytes", function()
    expect("d41d8cd98f00b204e9800998ecf8427e", "md5('')")
    expect("da39a3ee5e6b4b0d3255bfef95601890afd80709", "sha1('')")
    expect("1", "sha256(1) = sha256('1')")
    expect("93b885adfe0da089cdf634904fd59f71", "md5(x'00')")
    expect("7707d6ae4e027c70eea2a935c2296f21", "md5(replicate('a', 1000000))")
    expect("34aa973cd4c4daa4f61eeb2bdbad27316534016f", "sha1(replicate('a', 1000000))")
  end)
end)

describe("Base64", function()
  it("goes there and back", function()
    for text, encoded in pairs { [""] = "", f = "Zg==", fo = "Zm8=", foo = "Zm9v", foobar = "Zm9vYmFy" } do
      expect(encoded, ("to_base64('%s')"):format(text))
      expect(text, ("from_base64('%s')"):format(encoded))
    end
    expect("fo", "from_base64('Zm8')") -- without padding
    expect("foobar", "from_base64('Zm9v' || char(10) || 'YmFy')")
    expect("FFFE00", "hex(from_base64(to_base64(x'fffe00')))")
    expect("+/+/", "to_base64(x'fbffbf')")
  end)

  it("is refused as a whole when it is none", function()
    for _, wrong in ipairs { "Zg=x", "Z", "Zm9v!", "Zg-_", "=a" } do
      expect("", ("from_base64('%s')"):format(wrong))
    end
  end)

  it("is conditional", function()
    expect("~ plain", "conditional_to_base64('~ plain')")
    expect("w6k=", "conditional_to_base64('é')")
    expect("YQo=", "conditional_to_base64('a' || char(10))")
    expect("", "conditional_to_base64('')")
  end)
end)

describe("versions", function()
  it("are compared as osquery documents it", function()
    expect("0", "version_compare('1.0', '1.0')")
    expect("0", "version_compare('4:1.1.0', '4:1.1.0-3', 'ARCH')")
    expect("-1", "version_compare('50.4.1b', '50.4.1c')")
    expect("1", "version_compare('1:1.2.13-2', '4.2.1', 'ARCH')")
    expect("-1", "version_compare('1.0~rc1-1', '1.0-1', 'dpkg')")
    expect("1", "version_compare(1.10, '1')")
    expect_failure("flavour must be", "version_compare('1', '2', 'deb')")
  end)
end)

describe("numbers", function()
  it("are rounded to integers", function()
    expect("3", "ceil('2.1')")
    expect("-2", "ceil(-2.9)")
    expect("2", "floor(2.9)")
    expect("9223372036854775807", "ceil(9223372036854775807)")
    expect("1.0e+300", "floor(1e300)")
    expect("0", "ceil('x')")
  end)

  it("have logarithms as in osquery, to the base e", function()
    expect("1", "log(exp(2)) = 2")
    expect(false, "log(0)")
    expect(false, "log(-1)")
    expect(false, "sqrt(-1)")
    expect("1.6e+19", "square(4000000000)")
  end)

  it("have statistics", function()
    expect(false, "stdev(1)")
    expect(false, "median(column1) FROM (VALUES (NULL), ('x'))")
    expect("2", "median(column1) FROM (VALUES (3), (1), (2), (NULL), ('x'))")
    expect("2.5", "median(column1) FROM (VALUES (3), (1), (2), (4))")
    expect(false, "mode(column1) FROM (VALUES (1), (1), (2), (2))")
    expect("1.5", "mode(column1) FROM (VALUES (1.5), (1.5), (2))")
    expect("0.0", "variance(column1) FROM (VALUES (1e9), (1e9), (1e9))")
    expect("50000", [[lower_quartile(x) FROM (WITH RECURSIVE c(x) AS (SELECT 0 UNION ALL SELECT x + 1 FROM c
      WHERE x < 200000) SELECT x FROM c)]])
  end)
end)

describe("SQLite's JSON", function()
  it("is there", function()
    expect("2", [[json_extract('{"a": [1, 2]}', '$.a[1]')]])
    expect("3,4", "group_concat(value) FROM json_each('[3, 4]')")
    expect("4", "count(*) FROM json_tree('[3, [4]]')")
    expect('{"a":1}', "json_object('a', 1)")
  end)
end)

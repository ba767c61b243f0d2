-- The signer and botocore's agree on random requests.
local cjson = require "cjson"
local python_of = require "tests.fixtures.aws.python"
local sigv4 = require "moonwatch.sigv4"

local COUNT = 500

describe("random requests", function()
  it("are signed as botocore signs them", function()
    local python, why = python_of.find()
    if not python then
      pending(why)
      return
    end
    local seed = tonumber(os.getenv "MW_TEST_SEED" or "") or os.time()
    local pipe <close> = assert(io.popen(("%s tests/fixtures/aws/random_requests.py %d %d"):format(python, seed, COUNT)))
    local count = 0
    for line in pipe:lines() do
      local request = cjson.decode(line)
      request.body = request.body:gsub("%x%x", function(hex)
        return string.char(tonumber(hex, 16))
      end)
      assert.are.equal(request.authorization, (sigv4.authorization(request)), ("MW_TEST_SEED=%d: %s"):format(seed, line))
      count = count + 1
    end
    assert.are.equal(COUNT, count)
  end)
end)

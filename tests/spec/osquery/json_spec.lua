local json = require "moonwatch.osquery.json"

describe("osquery's JSON", function()
  it("is bounded in depth, and holds no numbers that are none", function()
    assert.is_truthy(json.decode(("["):rep(32) .. ("]"):rep(32)))
    for _, bad in ipairs { ("["):rep(33) .. ("]"):rep(33), ("["):rep(1000000), '{"a":NaN}', '{"a":Infinity}', "", "7", '"text"', "{" } do
      local decoded, message = json.decode(bad)
      assert.is_nil(decoded)
      assert.is_string(message)
    end
  end)

  it("keeps the order of members and columns, and an empty list is one", function()
    assert.are.equal('{"b":1,"a":[]}', json.object { { "b", "1" }, { "a", json.array {} } })
    local columns = { { name = "z" }, { name = "a" }, { name = "z" }, { name = "n" }, { name = "f" } }
    assert.are.equal('{"z":"1","a":"x","n":"","f":"0.5"}', json.row({ z = 1, a = "x", f = 0.5 }, columns))
    assert.are.equal('{"f":"3.0"}', json.row({ f = 3.0 }, { { name = "f" } }))
  end)
end)

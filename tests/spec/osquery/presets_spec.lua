local presets = require "moonwatch.osquery.presets"

describe("every backend", function()
  for name, preset in pairs(presets) do
    it(name .. " has all paths that are needed, or none", function()
      local count = 0
      for _, path in pairs(preset.endpoints) do
        assert.is_truthy(path:find "^/[%w_/]+$")
        count = count + 1
      end
      assert.is_true(count == 0 or count == 5 or count == 7, count)
      for _, endpoint in ipairs(count > 0 and { "enroll", "config", "log", "read", "write" } or {}) do
        assert.is_string(preset.endpoints[endpoint])
      end
    end)
  end
end)

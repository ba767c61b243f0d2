-- The same source, cross-built for 64-bit ARM and linked statically, under the kernel of Debian 12.
local guest = require "tests.system.guest"

describe("64-bit ARM, Linux 6.1:", function()
  for _, result in ipairs(guest.results("arm64", "base")) do
    it(result.name, function()
      if result.skip_reason then
        pending(result.skip_reason)
      end
      assert(result.passed, result.notes)
    end)
  end
end)

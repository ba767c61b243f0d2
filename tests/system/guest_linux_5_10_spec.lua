-- This build under the kernel of Debian 11, as old as what Fargate is said to run.
local guest = require "tests.system.guest"

describe("Linux 5.10:", function()
  for _, result in ipairs(guest.results("linux-5.10", "base")) do
    it(result.name, function()
      if result.skip_reason then
        pending(result.skip_reason)
      end
      assert(result.passed, result.notes)
    end)
  end
end)

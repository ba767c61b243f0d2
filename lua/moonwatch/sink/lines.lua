--- Lines of results and status to a writer: a file, standard error or output.
local loop = require "moonwatch.loop"

local M = {}

local PUMP_MS = 20
local TRIES = 250

function M.connect(part)
  local writer, message = require("moonwatch.sink." .. part.sink).open(part.target, part.options)
  if not writer then
    return nil, message
  end
  return {
    max_rows = 500, max_bytes = 256 << 10,
    send = function(lines)
      local before = writer:dropped()
      for _, line in ipairs(lines) do
        writer:line(line)
      end
      for _ = 1, TRIES do
        if writer:pump() then
          break
        end
        loop.sleep(PUMP_MS)
      end
      if writer:dropped() > before then
        return nil, "it does not take its lines", {}
      end
      return true
    end,
  }
end

return M

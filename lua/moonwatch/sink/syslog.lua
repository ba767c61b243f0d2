--- Syslog: RFC 5424, each message behind its length (RFC 6587, RFC 5425), over TLS or TCP.
---
--- The protocol has no acknowledgement.  A batch counts as delivered when the other machine's kernel has all of it and the connection
--- is still there; what the daemon had not read when it died is lost, and nobody can know.
local calendar = require "moonwatch.calendar"
local connection = require "moonwatch.sink.connection"
local environment = require "moonwatch.environment"
local options = require "moonwatch.sink.options"

local FACILITIES = { "auth", "authpriv", "daemon", "user", "local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7" }
local NUMBERS = { auth = 4, authpriv = 10, daemon = 3, user = 1 }
local SEVERITIES = { critical = 2, high = 3, medium = 4, low = 5, info = 6 }
local INFORMATIONAL = 6

---@class moonwatch.sink.syslog
local M = {
  is_network = true,
  wants_target = true,
  target = "tls://HOST[:6514]",
  options = options.join(options.network, options.tls, {
    facility = { kind = "choice", choices = FACILITIES, default = "authpriv" },
    host = { kind = "text" },
    app = { kind = "text", default = "moonwatch" },
  }),
}

function M.check(part)
  return connection.check(part, { tls = 6514, tcp = 514 }, { tcp = true })
end

-- PRINTUSASCII of at most so many characters.
local function word(value, max)
  value = (value or ""):gsub("[^\33-\126]", "?"):sub(1, max)
  return value == "" and "-" or value
end

local function time_of(time_ns)
  return calendar.iso(time_ns // 1000000000) .. (".%06dZ"):format(time_ns // 1000 % 1000000)
end

--- One message; a line that is one already stays as it is.
---@param line string
---@param item moonwatch.spool.Item
---@param given table<string, any>
---@return string
function M.message(line, item, given)
  if line:find "^<%d+>1 " then
    return line
  end
  local facility = NUMBERS[given.facility] or 16 + tonumber(given.facility:match "%d$")
  local severity = item.stream == "alerts" and SEVERITIES[item.body:match '"severity":"(%l+)"'] or INFORMATIONAL
  return ("<%d>1 %s %s %s - %s - %s"):format(facility * 8 + severity, time_of(item.time_ns),
    word(given.host or environment.get "HOSTNAME", 255), word(given.app, 48), word(item.kind, 32), line)
end

function M.connect(part)
  local own = connection.new(part)
  return {
    max_rows = 1000, max_bytes = 256 << 10,
    send = function(lines, items, budget_ms)
      local ms = math.min(part.options.timeout_ms, budget_ms or math.huge)
      local is_new, message, code = own:open(ms)
      if is_new == nil then
        return nil, message, { stop = code == "EKEYREJECTED" }
      end
      local frames = {}
      for i, line in ipairs(lines) do
        local text = M.message(line, items[i], part.options)
        frames[i] = ("%d %s"):format(#text, text)
      end
      local ok
      ok, message = own:write(table.concat(frames), ms)
      if not ok then
        return nil, message, {}
      end
      if not own:confirmed(ms) then
        own:close()
        return nil, "the other side does not take what was sent", {}
      end
      local _, why, lost = own.stream:read(1, 0)
      if lost and lost ~= "ETIMEDOUT" then
        own:close()
        return nil, why, {}
      end
      return true
    end,
  }
end

return M

--- What the answer of an HTTP server means for what was sent to it.
local sigv4 = require "moonwatch.sigv4"
local text = require "moonwatch.text"

---@class moonwatch.delivery.answer
local M = {}

-- Of what a server says of an error, in a message.
local BODY_BYTES = 200
-- Longer than that nobody is believed.
M.RETRY_AFTER_MAX_S = 3600

-- What was sent is at fault, not when it was.
local POISON = { [400] = true, [413] = true, [422] = true }
-- Nothing gets better by itself: a wrong secret, address, kind of server.
local STOP = { [401] = true, [403] = true, [404] = true, [405] = true, [407] = true, [410] = true }

--- Seconds, of a number or a date; nil where it says nothing sensible.
---@param value string?
---@param now number  seconds since 1970
---@return number?
function M.retry_after(value, now)
  local seconds = value and (tonumber(value:match "^%s*(%d+)%s*$") or nil)
  if value and not seconds then
    local time = sigv4.time(value)
    seconds = time and math.max(0, time - now)
  end
  return seconds and math.min(seconds, M.RETRY_AFTER_MAX_S)
end

---@class moonwatch.delivery.Trouble
---@field retry_after_s? number
---@field is_poison? boolean  refused for its content
---@field stop? boolean  nothing will change soon
---@field accepted? table<integer, true>  items of the batch that were taken nevertheless
---@field refused? table<integer, string>  items that will never be taken, and why

--- Anything but 2xx is a failure.
---@param answer moonwatch.tls.Answer?
---@param message string?  when there is none
---@param code string?
---@param now number
---@return true?
---@return string? message
---@return moonwatch.delivery.Trouble?
function M.judge(answer, message, code, now)
  if not answer then
    return nil, message, { stop = code == "EKEYREJECTED" or code == "EPROTONOSUPPORT" or code == "EINVAL" or code == "ENOSYS" }
  end
  local status = answer.status
  if status >= 200 and status < 300 then
    return true
  end
  local body = type(answer.body) == "string" and text.printable(answer.body:sub(1, BODY_BYTES)) or ""
  return nil, ("HTTP %d%s%s"):format(status, body ~= "" and ": " or "", body), {
    retry_after_s = M.retry_after(answer.headers["retry-after"], now),
    is_poison = POISON[status],
    stop = STOP[status] or (status >= 300 and status < 400),
  }
end

return M

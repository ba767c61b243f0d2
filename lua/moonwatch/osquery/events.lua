--- osquery's tables of events, and the flags here that say whether they get any.
local cjson = require "cjson"

---@class moonwatch.osquery.events
local M = {}

local flag_of <const> = {
  process_events = "audit_allow_process_events",
  socket_events = "audit_allow_sockets",
  file_events = "allow_inotify_file_events",
}

--- Without all of these nothing is seen.
local SOURCES <const> = { "audit_allow_process_events", "audit_allow_sockets", "allow_inotify_file_events" }

--- Add what the member `events` of a configuration says of flags; disabling wins.
---@param events table
---@param wanted {[1]: string, [2]: string}[]
---@return string? message
function M.flags_of(events, wanted)
  for _, pair in ipairs { { "enable_subscribers", "true" }, { "disable_subscribers", "false" } } do
    local names = events[pair[1]]
    if names ~= nil and names ~= cjson.null then
      if type(names) ~= "table" then
        return ("events.%s is no array"):format(pair[1])
      end
      for _, name in ipairs(names) do
        if flag_of[name] then
          wanted[#wanted + 1] = { flag_of[name], pair[2] }
        end
      end
    end
  end
  return nil
end

---@param get fun(name: string): boolean
---@return boolean
function M.is_blind(get)
  for _, name in ipairs(SOURCES) do
    if get(name) then
      return false
    end
  end
  return true
end

return M

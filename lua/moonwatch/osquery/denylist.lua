--- Queries that are not run for a day: those that ran when the sensor died, or that their limits had to end.
---
--- A mark is written before a query runs and taken away after; one that is found at the start is of a run that was not survived.
local cjson = require "cjson"

---@class moonwatch.osquery.Denylist
---@field private notes moonwatch.notes
---@field private kind string
---@field private until_ table<string, number>
local Denylist = {}
Denylist.__index = Denylist

---@class moonwatch.osquery.denylist
local M = {}

--- As osquery.
M.DURATION_S = 86400

--- The list of a kind of queries, as it was left.
---@param kind string     "schedule", "distributed"
---@param notes moonwatch.notes
---@param now number      seconds since 1970
---@param duration_s number?
---@return moonwatch.osquery.Denylist
---@return string? died  the query that ran when the sensor died
function M.open(kind, notes, now, duration_s)
  local list = setmetatable({ notes = notes, kind = kind, until_ = {} }, Denylist)
  local ok, saved = pcall(cjson.decode, notes.get("denylist." .. kind) or "{}")
  for name, time in pairs(ok and type(saved) == "table" and saved or {}) do
    if type(name) == "string" and type(time) == "number" and time > now then
      list.until_[name] = time
    end
  end
  local died = notes.get("running." .. kind)
  if died then
    list:add(died, now, duration_s)
    notes.remove("running." .. kind)
  end
  return list, died
end

function Denylist:save()
  self.notes.put("denylist." .. self.kind, next(self.until_) and cjson.encode(self.until_) or "{}")
end

---@param name string
---@param now number
---@param duration_s number?
function Denylist:add(name, now, duration_s)
  self.until_[name] = now + (duration_s or M.DURATION_S)
  self:save()
end

---@param name string
---@param now number
---@return boolean
function Denylist:has(name, now)
  local time = self.until_[name]
  if time and time <= now then
    self.until_[name] = nil
    self:save()
    return false
  end
  return time ~= nil
end

--- It begins.
---@param name string
function Denylist:mark(name)
  self.notes.put("running." .. self.kind, name)
end

--- It was survived.
function Denylist:unmark()
  self.notes.remove("running." .. self.kind)
end

return M

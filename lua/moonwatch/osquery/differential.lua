--- What a query gave last, and what has changed since.
local cjson = require "cjson"

---@class moonwatch.osquery.differential
local M = {}

--- Rows are compared as a multiset: order does not count, how often a row is there does.
---@param old string[]
---@param new string[]
---@return string[] removed
---@return string[] added
function M.compare(old, new)
  local count = {}
  for _, row in ipairs(old) do
    count[row] = (count[row] or 0) + 1
  end
  local removed, added = {}, {}
  for _, row in ipairs(new) do
    local n = count[row]
    if n and n > 0 then
      count[row] = n - 1
    else
      added[#added + 1] = row
    end
  end
  for i = #old, 1, -1 do
    local row = old[i]
    if count[row] > 0 then
      count[row] = count[row] - 1
      removed[#removed + 1] = row
    end
  end
  -- As they were: the last ones of those alike are gone.
  local n = #removed
  for i = 1, n // 2 do
    removed[i], removed[n - i + 1] = removed[n - i + 1], removed[i]
  end
  return removed, added
end

---@class moonwatch.osquery.State  of a query, between two runs
---@field epoch integer
---@field counter integer
---@field rows string[]?  JSON; nil: of event tables
---@field since { events: moonwatch.query.Position?, alerts: moonwatch.query.Position? }?  of event tables

--- As a text: a line of JSON, and one for each row, which has no line's end in it.
---@param state moonwatch.osquery.State
---@return string
function M.encode(state)
  local head = cjson.encode { epoch = state.epoch, counter = state.counter, since = state.since, has_rows = state.rows ~= nil }
  return state.rows and #state.rows > 0 and head .. "\n" .. table.concat(state.rows, "\n") or head
end

local function position(value)
  if type(value) == "table" and math.tointeger(value.seq) and type(value.id) == "string" then
    return { seq = math.tointeger(value.seq), id = value.id }
  end
end

--- nil for what is no such text.
---@param text string
---@return moonwatch.osquery.State?
function M.decode(text)
  local first = text:find("\n", 1, true)
  local ok, head = pcall(cjson.decode, first and text:sub(1, first - 1) or text)
  if not ok or type(head) ~= "table" or not math.tointeger(head.epoch) or not math.tointeger(head.counter) then
    return nil
  end
  local state = { epoch = math.tointeger(head.epoch), counter = math.tointeger(head.counter) }
  if type(head.since) == "table" then
    state.since = { events = position(head.since.events), alerts = position(head.since.alerts) }
  end
  if head.has_rows then
    state.rows = {}
    if first then
      for row in text:gmatch("[^\n]+", first + 1) do
        state.rows[#state.rows + 1] = row
      end
    end
  end
  return state
end

return M

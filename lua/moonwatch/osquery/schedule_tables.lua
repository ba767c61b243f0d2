--- What the tables osquery_schedule and osquery_packs have to say.
local cjson = require "cjson"
local packs = require "moonwatch.osquery.packs"

---@class moonwatch.osquery.schedule_tables
local M = {}

--- Of the text of a query.
local SHOWN <const> = 2048

local function cut(query)
  return #query > SHOWN and query:sub(1, utf8.offset(query, 0, SHOWN + 1) - 1) .. "…" or query
end

local function row_of(self, query)
  local state = self.states[query.name]
  local runs = math.max(1, state.executions)
  return {
    name = query.name,
    query = cut(query.query),
    interval = query.interval,
    executions = state.executions,
    last_executed = state.last_executed or 0,
    denylisted = query.denylist and self.denied and self.denied:has(query.name, self.world.time()) and 1 or 0,
    output_size = state.output_size or 0,
    wall_time = state.wall // 1000,
    wall_time_ms = state.wall,
    last_wall_time_ms = state.last_wall or 0,
    user_time = state.user,
    last_user_time = state.last_user or 0,
    system_time = state.system,
    last_system_time = state.last_system or 0,
    average_memory = state.memory // runs,
    last_memory = state.last_memory or 0,
    message = state.message,
  }
end

local function pack_row(self, pack)
  local known = self.discovered[pack]
  local active = pack.fits
  if #pack.discovery > 0 then
    active = pack.fits and known ~= nil and known.is_active == true
  end
  return {
    name = pack.name,
    platform = pack.platform,
    version = pack.version,
    shard = pack.shard,
    discovery_cache_hits = known and known.hits or 0,
    discovery_executions = known and known.executions or 0,
    active = active and 1 or 0,
    message = pack.why and "not for this host: " .. pack.why or nil,
  }
end

local function array(list)
  return #list > 0 and cjson.encode(list) or "[]"
end

--- Groups of all sources; a later one has the say of a name.
local function signatures_of(self)
  local groups = {}
  for _, source in ipairs(self:list_sources()) do
    for name, files in pairs(source.signatures) do
      groups[name] = files
    end
  end
  return next(groups) and cjson.encode(groups) or "{}"
end

--- What is known of schedule and packs, and groups of rules of YARA, as JSON.
---@param self moonwatch.osquery.Scheduler
---@return string
function M.document(self)
  local queries, list = {}, {}
  for i, query in ipairs(self.queries) do
    queries[i] = row_of(self, query)
  end
  for _, pack in ipairs(self.packs) do
    if pack.name ~= packs.MAIN then
      list[#list + 1] = pack_row(self, pack)
    end
  end
  return ('{"queries":%s,"packs":%s,"yara":{"signatures":%s}}'):format(array(queries), array(list), signatures_of(self))
end

return M

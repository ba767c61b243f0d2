--- The schedule: when which query runs, what becomes of its rows, what is known of it.
---
--- Time, queries, notes and lines come in and go out by a `world`, so that specs need neither a clock nor a sensor.
local cjson = require "cjson"
local decorators = require "moonwatch.osquery.decorators"
local denylist = require "moonwatch.osquery.denylist"
local packs = require "moonwatch.osquery.packs"
local schedule_tables = require "moonwatch.osquery.schedule_tables"
local scheduled = require "moonwatch.osquery.scheduled"
local text = require "moonwatch.text"
local yara = require "moonwatch.osquery.yara"

---@class moonwatch.osquery.World
---@field time fun(): number               seconds since 1970
---@field now fun(): number                milliseconds of a clock that is never set
---@field wait fun(ms: number)             until then, or until something changes
---@field pause fun()                      let others go on
---@field random fun(): number             from 0 to 1
---@field flag fun(name: string): any
---@field identifier fun(): string         of this host in lines
---@field query moonwatch.query
---@field notes moonwatch.notes
---@field add fun(line: string, name: string, seconds: number): boolean?, string?, string?  message, code
---@field commit fun()                     what was added is safe
---@field report fun(severity: integer, message: string)  0 information, 1 warning, 2 error
---@field keep fun(name: string, json: string)            for tables
---@field settings fun(source: "config"|"backend"): moonwatch.osquery.Settings  as flags are now
---@field ran? fun(run: moonwatch.osquery.Run, added: string[])  a query has given new rows

---@class moonwatch.osquery.Source
---@field packs moonwatch.osquery.Pack[]
---@field decorators moonwatch.osquery.Decorators
---@field views table<string, string>
---@field document table  schedule, packs, decorators and views of it
---@field is_new boolean  it is yet to be read with the flags that came with it

---@class moonwatch.osquery.Scheduler
---@field private world moonwatch.osquery.World
---@field private sources table<string, moonwatch.osquery.Source>
local Scheduler = {}
Scheduler.__index = Scheduler

---@class moonwatch.osquery.scheduler
local M = {}

local INFO <const>, WARNING <const> = 0, 1

--- osquery forgets what a query gave when it has not run for so long and is no longer scheduled.
local FORGET_S <const> = 592200
--- How often it is written when a query was there last.
local SEEN_S <const> = 6 * 3600
--- Between two writings of the tables' document; longer for each so many bytes it has.
local KEEP_S <const> = 5
local KEEP_BYTES <const> = 64 << 10
local WAIT_MAX_S <const> = 60
local DISCOVERY_MS <const> = 10000
local VIEWS <const> = 256
--- Names whose splay is kept.
local SPLAYS <const> = 16384
--- A higher one's query stands for those of its name of the lower ones.
local SOURCES <const> = { "config", "backend" }

---@param world moonwatch.osquery.World
---@return moonwatch.osquery.Scheduler
function M.new(world)
  return setmetatable({
    world = world,
    sources = {},
    queries = {},  -- all of them, in their order
    states = {},   -- name -> what is known of a query in this run of the sensor
    packs = {},    -- in their order
    discovered = {}, -- pack -> { is_active, until_, hits, executions }
    told = {},     -- query -> the failure told last
    kept = 0,
  }, Scheduler)
end

--- A message once, until it is another one.
function Scheduler:tell(severity, about, message)
  if self.told[about] ~= message then
    self.told[about] = message
    if message then
      self.world.report(severity, ("%s: %s"):format(about, message))
    end
  end
end

-- --- what is scheduled ---

--- A note that is a table.
local function load_note(self, name)
  local ok, value = pcall(cjson.decode, self.world.notes.get(name) or "{}")
  return ok and type(value) == "table" and value or {}
end

local function save_note(self, name, value)
  self.world.notes.put(name, next(value) and cjson.encode(value) or "{}")
end

--- How often queries really run: drawn once for a name and an interval, and found again after a restart.
local function draw_splay(self)
  local percent = self.world.flag "schedule_splay_percent"
  local saved, is_new, count = load_note(self, "splay"), false, 0
  for _ in pairs(saved) do
    count = count + 1
  end
  if count > SPLAYS then
    saved = {}
  end
  for _, query in ipairs(self.queries) do
    local key = ("%d %s"):format(query.interval, query.short)
    local value = math.tointeger(tonumber(saved[key]))
    if not value then
      local off = query.interval * percent // 100
      value = query.interval - off + math.floor(self.world.random() * (2 * off + 1))
      saved[key], is_new = value, true
    end
    query.every = math.max(1, value)
  end
  if is_new then
    save_note(self, "splay", saved)
  end
end

local function views_of(object, warnings)
  local views, count = {}, 0
  if object ~= nil and type(object) ~= "table" then
    return nil, "views is no object"
  end
  for name, value in pairs(object or {}) do
    count = count + 1
    if type(name) ~= "string" or type(value) ~= "string" or count > VIEWS or name:find "\0" or value:find "\0" then
      warnings[#warnings + 1] = ("view %s: takes name = SELECT, at most %d; left out"):format(
        text.printable(tostring(name), 60), VIEWS)
    else
      views[name] = value
    end
  end
  return views
end

--- Which of all sources hold, by name.
local function join(self)
  local taken = {}
  self.queries, self.packs, self.views = {}, {}, {}
  for _, name in ipairs(SOURCES) do
    local source = self.sources[name]
    for _, pack in ipairs(source and source.packs or {}) do
      self.packs[#self.packs + 1] = pack
      for _, query in ipairs(pack.fits and pack.queries or {}) do
        if not taken[query.name] then
          taken[query.name] = true
          self.queries[#self.queries + 1] = query
        end
      end
    end
    for view, query in pairs(source and source.views or {}) do
      self.views[view] = self.views[view] or query
    end
  end
  draw_splay(self)
  for _, query in ipairs(self.queries) do
    local state = self.states[query.name]
    if not state or state.query.query ~= query.query then
      self.states[query.name] = { query = query, executions = 0, wall = 0, user = 0, system = 0, memory = 0 }
    else
      state.query = query
    end
  end
  for name in pairs(self.states) do
    if not taken[name] then
      self.states[name], self.told["query " .. name] = nil, nil
    end
  end
end

--- What queries gave that are scheduled no more is forgotten after a week.
local function forget(self)
  local notes, now = self.world.notes, math.floor(self.world.time())
  local seen = load_note(self, "seen")
  local current = {}
  for _, query in ipairs(self.queries) do
    current[query.name] = true
  end
  for name in pairs(current) do
    seen[name] = now
  end
  for _, note in ipairs(notes.names "results." or {}) do
    local name = note:sub(#"results." + 1)
    if type(seen[name]) ~= "number" then
      seen[name] = now
    elseif not current[name] and now - seen[name] > FORGET_S then
      notes.remove(note)
      seen[name] = nil
    end
  end
  for name, time in pairs(seen) do
    if not current[name] and (type(time) ~= "number" or now - time > FORGET_S) then
      seen[name] = nil
    end
  end
  save_note(self, "seen", seen)
  self.seen_at = now
end

--- All of a document; nil, message when it is refused.
local function read(self, document, source)
  local list, warnings = packs.read(document, self.world.settings(source))
  if not list then
    return nil, tostring(warnings)
  end
  ---@cast warnings string[]
  local decorating, more = decorators.read(document.decorators)
  if not decorating then
    return nil, tostring(more)
  end
  table.move(more --[[@as string[] ]], 1, #more, #warnings + 1, warnings)
  local views, message = views_of(document.views, warnings)
  if not views then
    return nil, message
  end
  local signatures = yara.read(document.yara, warnings)
  return {
    packs = list,
    decorators = decorating,
    views = views,
    signatures = signatures,
    document = document,
    is_new = true,
  }, warnings
end

--- Take what a document says of queries in place of what its source said before.  It is looked at now, and read once more before
--- the next query runs: with the flags that the same document may set.
---@param document table
---@param source "config"|"backend"
---@return string[]? warnings
---@return string? message  it is refused as a whole, and what was before still holds
function Scheduler:apply(document, source)
  local mine = {}
  for _, member in ipairs { "schedule", "packs", "decorators", "views", "yara" } do
    if document[member] ~= cjson.null then
      mine[member] = document[member]
    end
  end
  -- As in osquery, views stay until a document has others.
  local before = self.sources[source]
  mine.views = mine.views ~= nil and mine.views or before and before.document.views or nil
  local taken, warnings = read(self, mine, source)
  if not taken then
    return nil, warnings
  end
  self.sources[source] = taken
  return warnings
end

--- With the flags that hold now.
local function read_again(self)
  local has_new = false
  for _, name in ipairs(SOURCES) do
    local source = self.sources[name]
    if source and source.is_new then
      has_new = true
      local taken = read(self, source.document, name)
      if taken then
        taken.is_new, taken.decorators.is_new = false, true
        self.sources[name] = taken
      end
    end
  end
  if has_new then
    self.discovered, self.are_views_new, self.is_new = {}, true, true
    join(self)
  end
end

--- Has a document come that is yet to be read?  What is of the one before is over.
---@return boolean
function Scheduler:has_news()
  for _, source in pairs(self.sources) do
    if source.is_new then
      return true
    end
  end
  return false
end

--- Has any document come?
---@return boolean
function Scheduler:is_known()
  return next(self.sources) ~= nil
end

--- Is there anything to do at all?
---@return boolean
function Scheduler:has_work()
  for _, source in pairs(self.sources) do
    if next(source.decorators.interval) then
      return true
    end
  end
  return #self.queries > 0
end

--- By their rank.
function Scheduler:list_sources()
  local list = {}
  for _, name in ipairs(SOURCES) do
    list[#list + 1] = self.sources[name]
  end
  return list
end

---@param query moonwatch.osquery.Query
function Scheduler:run_query(query)
  self.is_busy = true
  scheduled.run(self, query)
  self.is_busy = false
end

-- --- packs ---

--- Do all discovery queries of the pack give a row?  What they said holds for a while.
local function is_active(self, pack)
  if not pack.fits then
    return false
  elseif #pack.discovery == 0 then
    return true
  end
  local known = self.discovered[pack] or { hits = 0, executions = 0 }
  self.discovered[pack] = known
  local now = self.world.time()
  if known.until_ and now < known.until_ then
    known.hits = known.hits + 1
    return known.is_active
  end
  known.executions = known.executions + 1
  known.until_ = now + self.world.flag "pack_refresh_interval"
  known.is_active = true
  for _, query in ipairs(pack.discovery) do
    local rows, message, code = self.world.query.run(query, { time_ms = DISCOVERY_MS, answer_bytes = 64 << 10, json = {} })
    local has_rows = rows and #rows > 0 or code == "ENOBUFS"
    self:tell(WARNING, "pack " .. pack.name, not has_rows and not rows and "discovery: " .. tostring(message) or nil)
    if not has_rows then
      known.is_active = false
      break
    end
  end
  self.is_new = true
  return known.is_active
end

-- --- time ---

--- What falls due in this second.  Queries come one after another.
---@param second integer  since 1970
function Scheduler:run_second(second)
  self:take_changes()
  scheduled.decorate(self, "interval", second)
  -- The list may become another one while a query runs.
  for _, query in ipairs(self.queries) do
    if self:has_news() then
      break
    end
    local state = self.states[query.name]
    if state and state.query == query and (second % query.every == 0 or state.is_due) and not self.is_stopped
      and is_active(self, query.pack) then
      state.is_due = false
      self:run_query(query)
    end
  end
  self:write_tables()
end

--- New views and decorators, before the first query that may need them.
function Scheduler:take_changes()
  read_again(self)
  if self.are_views_new then
    self.are_views_new = false
    if next(self.views) or self.has_views then
      self.has_views = next(self.views) ~= nil
      local refused, message = self.world.query.views(self.views)
      self:tell(WARNING, "views", refused ~= "" and (refused or message) or nil)
    end
  end
  for _, source in pairs(self.sources) do
    if source.decorators.is_new then
      source.decorators.is_new = false
      if not self.world.flag "disable_decorators" then
        source.decorators:run(source.decorators.load, function(query)
          return scheduled.first_row(self, query)
        end, function(message)
          self:tell(WARNING, "decorators", message)
        end)
      end
    end
  end
  local now = self.world.time()
  if #self.queries > 0 and (not self.seen_at or now - self.seen_at > SEEN_S or self.queries ~= self.seen_queries) then
    self.seen_queries = self.queries
    forget(self)
  end
end

--- Those that want to run at the start, lower numbers first.
local function run_first(self)
  local first = {}
  for _, query in ipairs(self.queries) do
    if query.startup_priority then
      first[#first + 1] = query
    end
  end
  table.sort(first, function(a, b)
    if a.startup_priority ~= b.startup_priority then
      return a.startup_priority < b.startup_priority
    end
    return a.name < b.name
  end)
  self:take_changes()
  for _, query in ipairs(first) do
    if not self.is_stopped and is_active(self, query.pack) then
      self:run_query(query)
    end
  end
end

--- The next second in which something may fall due.
---@param second integer
---@return integer
function Scheduler:next_second(second)
  local next_ = second + WAIT_MAX_S
  for _, query in ipairs(self.queries) do
    local state = self.states[query.name]
    if state and state.is_due then
      return second + 1
    end
    next_ = math.min(next_, second - second % query.every + query.every)
  end
  for _, source in pairs(self.sources) do
    next_ = math.min(next_, source.decorators:next_due(second) or next_)
  end
  return next_
end

--- For ever, in a task of its own.
function Scheduler:run()
  local world = self.world
  local died
  self.denied, died = denylist.open("schedule", world.notes, world.time())
  if died then
    world.report(WARNING, ("query %s: the sensor died while it ran; it is not run again for a day"):format(died))
  end
  local began, second, has_begun = world.time(), nil, false
  while not self.is_stopped do
    read_again(self)
    local timeout = world.flag "schedule_timeout"
    if timeout > 0 and world.time() - began >= timeout then
      world.report(INFO, ("the schedule ends, after %d s (--schedule_timeout)"):format(timeout))
      return
    end
    if not has_begun and self:has_work() then
      has_begun = true
      second = math.floor(world.time())
      run_first(self)
      self:write_tables()
    end
    local now = world.time()
    local due = second and self:next_second(second) or math.floor(now) + WAIT_MAX_S
    if second and now >= due then
      if now - due > world.flag "schedule_max_drift" then
        world.report(WARNING, ("the schedule is %d s late; what was due meanwhile is left out"):format(math.floor(now - due)))
        due = math.floor(now)
      end
      second = due
      self:run_second(second)
    else
      self:write_tables()
      world.wait(math.max(1, (due - now) * 1000))
      local after = world.time()
      if second and (after < now - 1 or after > due + world.flag "schedule_max_drift") then
        second = math.floor(after) -- the clock was set, or we were stopped
      end
    end
  end
end

--- For osquery_schedule and osquery_packs, now and then.
---@param is_last boolean?
function Scheduler:write_tables(is_last)
  local now = self.world.time()
  local pause = KEEP_S * (1 + (self.kept_bytes or 0) // KEEP_BYTES)
  if not self.is_new or (not is_last and now - self.kept < pause and now >= self.kept) then
    return
  end
  local document = schedule_tables.document(self)
  self.is_new, self.kept, self.kept_bytes = false, now, #document
  self.world.keep("schedule", document)
end

--- The end of the application: what event tables have gathered since is told a last time.  In a task.
---@param deadline number  of world.now()
function Scheduler:finish(deadline)
  self:stop()
  local world = self.world
  if self.is_busy then
    world.query.interrupt()
  end
  while self.is_busy and world.now() < deadline do
    world.wait(5)
  end
  if not self.denied then
    return -- it never began
  end
  self:take_changes()
  for _, query in ipairs(self.queries) do
    local state = self.states[query.name]
    if world.now() < deadline and state and not query.snapshot and scheduled.is_of_events(self, query)
      and is_active(self, query.pack) then
      repeat
        state.is_due = false
        self:run_query(query)
      until not state.is_due or world.now() >= deadline
    end
  end
  self:write_tables(true)
end

--- End, as soon as the query that runs is over.  That it runs is no longer held against it.
function Scheduler:stop()
  self.is_stopped = true
  if self.denied then
    self.denied:unmark()
  end
end

return M

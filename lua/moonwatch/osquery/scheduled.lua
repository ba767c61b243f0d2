--- A scheduled query: it is run, and what it gives is compared, told and kept.
local differential = require "moonwatch.osquery.differential"
local result = require "moonwatch.osquery.result"

---@class moonwatch.osquery.scheduled
local M = {}

local INFO <const>, WARNING <const>, ERROR <const> = 0, 1, 2
--- Lines that are written between two looks of the loop at what else there is.
local SLICE <const> = 500
--- What ends a query by a fault of its own.
local FAULTS <const> = { ENOMEM = true, ENOBUFS = true }
--- Of its time, a tenth on the processor; or so many times in a row.
local CPU_PART <const> = 10
local TIMEOUTS <const> = 3

--- Of a query beside the loop, by flags.
---@param self moonwatch.osquery.Scheduler
local function limits(self, json, since)
  local flag = self.world.flag
  return {
    time_ms = flag "query_timeout_ms",
    memory_bytes = flag "query_memory_mib" << 20,
    answer_bytes = flag "query_result_kib" << 10,
    json = json,
    since = since,
  }
end

--- The first row as JSON, "" without one; nil, message.
---@param self moonwatch.osquery.Scheduler
---@param query string
---@return string?
---@return string?
function M.first_row(self, query)
  local name = "decorator: " .. query
  if self.denied:has(name, self.world.time()) then
    return nil, "the sensor died while it ran; it is not run for a day"
  end
  if not self.is_stopped then
    self.denied:mark(name) -- at the end anything may be cut off
  end
  local rows, message, code = self.world.query.run(query, limits(self, { sorted = true, escaped = true }))
  self.denied:unmark()
  if not rows and code == "ENOBUFS" then
    message = message .. " (only the first row counts)"
  end
  return rows and (rows[1] or "") or nil, message
end

--- Run the decorators of a point.
---@param self moonwatch.osquery.Scheduler
---@param point "always"|"interval"
---@param second integer?
function M.decorate(self, point, second)
  if self.world.flag "disable_decorators" then
    return
  end
  for _, source in ipairs(self:list_sources()) do
    local queries = point == "interval" and source.decorators:due(second) or source.decorators[point]
    if #queries > 0 then
      source.decorators:run(queries, function(query)
        return M.first_row(self, query)
      end, function(message)
        self:tell(WARNING, "decorators", message)
      end)
    end
  end
end

local function decorations(self)
  local values = {}
  if not self.world.flag "disable_decorators" then
    local sources = self:list_sources()
    for i = #sources, 1, -1 do
      for name, value in pairs(sources[i].decorators.values) do
        values[name] = value
      end
    end
  end
  return values
end

--- Is it one whose rows are events?
local function is_event_table(name)
  return name == "moonwatch_alerts" or name:find "_events$" ~= nil and name ~= "osquery_events"
end

--- Do all tables, or any, hold events?
local function reads_events(tables)
  local any, all = false, #tables > 0
  for _, name in ipairs(tables) do
    local is = is_event_table(name)
    any, all = any or is, all and is
  end
  return any, all
end

local function load_state(self, query)
  local saved = self.world.notes.get("results." .. query.name)
  return saved and differential.decode(saved)
end

--- The lines first: what is not safe must be told again.
local function save_state(self, query, state)
  self.world.commit()
  local ok, message = self.world.notes.put("results." .. query.name, differential.encode(state))
  if not ok then
    self.world.report(ERROR, ("query %s: what it gave cannot be kept, and will be told again: %s"):format(query.name,
      tostring(message)))
  end
end

--- How many bytes, and what is to be said of them; or nil, message.  A line that is too long stays so: it is left out, and the
--- others are not kept from going.
local function put_lines(self, run, lines)
  local bytes, left_out, why = 0, 0, nil
  for i, line in ipairs(lines) do
    if i % SLICE == 0 then
      self.world.pause()
    end
    local ok, message, code = self.world.add(line, run.name, run.time)
    if ok then
      bytes = bytes + #line
    elseif code == "E2BIG" then
      left_out, why = left_out + 1, message
    else
      return nil, message
    end
  end
  return bytes, left_out > 0 and ("%d of %d lines are too long, and left out: %s"):format(left_out, #lines, why) or nil
end

local function new_run(self, query, epoch, counter)
  local flag = self.world.flag
  return {
    name = query.name,
    identifier = self.world.identifier(),
    time = self.world.time(),
    epoch = epoch,
    counter = counter,
    numerics = flag "logger_numerics",
    decorations = decorations(self),
    top_level = flag "decorations_top_level",
  }
end

--- Tell what is new; how many bytes, or nil, message.
local function tell_changes(self, run, removed, added)
  local lines
  if self.world.flag "logger_event_type" then
    lines = result.events(run, removed, added)
  elseif #removed + #added > 0 or run.counter == 0 then
    lines = { result.batch(run, removed, added) }
  end
  return put_lines(self, run, lines or {})
end

local function handle_snapshot(self, query, rows, epoch)
  local run = new_run(self, query, epoch, 0)
  local lines = self.world.flag "logger_snapshot_event_type" and result.snapshot_events(run, rows)
    or { result.snapshot(run, rows) }
  return put_lines(self, run, lines)
end

local function handle_rows(self, query, rows, epoch)
  local state = load_state(self, query)
  local removed, added, counter = {}, rows, 0
  if state and state.rows and state.epoch == epoch then
    removed, added = differential.compare(state.rows, rows)
    if #removed + #added == 0 then
      return 0
    end
    counter = state.counter + 1
  end
  local run = new_run(self, query, epoch, counter)
  local bytes, message = tell_changes(self, run, query.removed and removed or {}, added)
  if bytes then
    save_state(self, query, { epoch = epoch, counter = counter, rows = rows })
    if self.world.ran and #added > 0 then
      self.world.ran(run, added)
    end
  end
  return bytes, message
end

--- Rows of event tables, which are all new.
local function handle_events(self, query, rows, window, epoch)
  local state = load_state(self, query)
  local since = state and state.since or {}
  local counter = state and state.epoch == epoch and state.counter or 0
  local run = new_run(self, query, epoch, counter + 1)
  local bytes, note = 0, nil
  if #rows > 0 then
    local told, message = tell_changes(self, run, {}, rows)
    if not told then
      return nil, message
    end
    bytes, note, counter = told, message, counter + 1
  end
  local has_more, has_moved = false, #rows > 0
  for name, seen in pairs(window) do
    local before = since[name]
    has_more = has_more or seen.more
    has_moved = has_moved or not before or before.seq ~= seen.seq or before.id ~= seen.id
    since[name] = { seq = seen.seq, id = seen.id }
    if seen.missed > 0 then
      self.world.report(WARNING, ("query %s: %d %s were dropped from the spool before it has seen them"):format(query.name,
        seen.missed, name))
    end
  end
  if has_moved then
    save_state(self, query, { epoch = epoch, counter = counter, since = since })
  end
  if self.world.ran and #rows > 0 then
    self.world.ran(run, rows)
  end
  return bytes, note, has_more
end

--- How a query ended that gave no rows.
local function handle_failure(self, query, state, message, code, stats)
  if code == "EINTR" then
    return -- the end
  end
  local is_fault = FAULTS[code] -- not EBUSY: too many wait, or the thread hangs
  if code == "ETIME" then
    -- Where others take the processor, or somebody else does not answer, it may not be the query's own; but not for ever.
    local cpu = stats and stats.user_ms + stats.system_ms or 0
    state.timeouts = (state.timeouts or 0) + 1
    is_fault = not stats or stats.wall_ms == 0 or CPU_PART * cpu >= self.world.flag "query_timeout_ms"
      or state.timeouts >= TIMEOUTS
  end
  state.message = message
  if is_fault and query.denylist then
    self.denied:add(query.name, self.world.time())
    message = message .. "; it is not run again for a day"
  end
  self:tell(ERROR, "query " .. query.name, message)
end

local function note_stats(state, stats, now)
  state.executions = state.executions + 1
  state.last_executed = math.floor(now)
  state.last_wall, state.wall = stats.wall_ms, state.wall + stats.wall_ms
  state.last_user, state.user = stats.user_ms, state.user + stats.user_ms
  state.last_system, state.system = stats.system_ms, state.system + stats.system_ms
  state.last_memory, state.memory = stats.memory, state.memory + stats.memory
end

--- Run it, unless it is not to be run, and tell what it gives.
---@param self moonwatch.osquery.Scheduler
---@param query moonwatch.osquery.Query
function M.run(self, query)
  local flag, world = self.world.flag, self.world
  local state = self.states[query.name]
  if not state or (query.denylist and self.denied:has(query.name, world.time())) then
    return
  end
  M.decorate(self, "always")
  if flag "schedule_lognames" then
    world.report(INFO, ("query %s runs"):format(query.name))
  end
  local saved = flag "events_optimize" and not query.snapshot and load_state(self, query)
  local since = flag "events_optimize" and not query.snapshot and {
    rows = state.event_rows or flag "schedule_event_rows",
    events = saved and saved.since and saved.since.events,
    alerts = saved and saved.since and saved.since.alerts,
  } or nil
  local is_marked = query.denylist and not state.is_all_events and not self.is_stopped
  if is_marked then
    self.denied:mark(query.name)
  end
  local rows, message, stats, failed = world.query.run(query.query, limits(self, {
    numbers = flag "logger_numerics",
    sorted = true,
    escaped = not query.snapshot,
    null = flag "nullvalue",
  }, since))
  if is_marked then
    self.denied:unmark()
  end
  if self.states[query.name] ~= state then
    return -- the configuration has changed meanwhile
  end
  self.is_new = true
  local code = not rows and stats or nil
  stats = rows and stats or failed
  if stats and code ~= "EINTR" then
    note_stats(state, stats, world.time())
  end
  local events, all_events = reads_events(stats and stats.tables or {})
  state.is_all_events = all_events
  if not rows then
    if since and code == "ENOBUFS" and events and since.rows > 1 then
      state.event_rows = math.max(1, since.rows // 4) -- fewer at once
      state.is_due = true
      return
    end
    return handle_failure(self, query, state, message, code, stats)
  end
  state.timeouts = nil
  local epoch = flag "schedule_epoch"
  local bytes, why, has_more
  if query.snapshot then
    bytes, why = handle_snapshot(self, query, rows, epoch)
  elseif since and events then
    bytes, why, has_more = handle_events(self, query, rows, stats.window, epoch)
    state.is_due = has_more
    if not has_more then
      state.event_rows = nil
    end
  else
    bytes, why = handle_rows(self, query, rows, epoch)
  end
  state.message = why
  state.output_size = (state.output_size or 0) + (bytes or 0)
  self:tell(ERROR, "query " .. query.name, why and (bytes and why or "what it gave cannot be kept: " .. why) or nil)
end

--- Is it over event tables alone, and reads what is new?  May wait.
---@param self moonwatch.osquery.Scheduler
---@param query moonwatch.osquery.Query
---@return boolean
function M.is_of_events(self, query)
  local state = self.states[query.name]
  if not self.world.flag "events_optimize" then
    return false
  elseif state.is_all_events == nil then
    local _, all = reads_events(self.world.query.tables(query.query) or {})
    state.is_all_events = all
  end
  return state.is_all_events
end

return M

--- A world for the schedule: a clock that goes on when somebody waits, queries with answers that are laid out, notes in a table.
local M = {}

--- Names and defaults as in core/flag/flags.c.
local FLAGS = {
  schedule_splay_percent = 0,
  schedule_default_interval = 3600,
  schedule_max_drift = 60,
  schedule_timeout = 0,
  schedule_epoch = 0,
  schedule_lognames = false,
  pack_refresh_interval = 3600,
  pack_delimiter = "_",
  disable_decorators = false,
  decorations_top_level = false,
  logger_event_type = true,
  logger_snapshot_event_type = false,
  logger_numerics = false,
  nullvalue = "",
  events_optimize = true,
  schedule_event_rows = 10000,
  query_timeout_ms = 30000,
  query_memory_mib = 64,
  query_result_kib = 4096,
}

--- 2026-08-02 07:05:09 UTC
M.START = 1785654309

local function stats(more)
  local made = { wall_ms = 3, user_ms = 2, system_ms = 1, memory = 4096, tables = { "processes" }, window = {} }
  for name, value in pairs(more or {}) do
    made[name] = value
  end
  return made
end

M.stats = stats

---@param notes table?  of a run before
function M.new(notes)
  local fake = { at = M.START, lines = {}, reports = {}, ran = {}, asked = {}, answers = {}, kept = {}, flags = {},
    notes = notes or {}, tables = {}, commits = 0 }
  for name, value in pairs(FLAGS) do
    fake.flags[name] = value
  end

  --- What a query gives: a list of rows, or a function of its options that returns what moonwatch.query does.
  function fake.answer(text, rows, more)
    fake.answers[text] = type(rows) == "function" and rows or function()
      return rows, {}, stats(more)
    end
  end

  fake.world = {
    time = function()
      return fake.at
    end,
    now = function()
      return fake.at * 1000
    end,
    wait = function(ms)
      fake.at = fake.at + ms / 1000
      if fake.until_ and fake.at >= fake.until_ then
        fake.at = math.max(fake.until_, fake.at - ms / 1000)
        fake.scheduler:stop()
      end
    end,
    pause = function()
      fake.pauses = (fake.pauses or 0) + 1
    end,
    random = function()
      return fake.random or 0.5
    end,
    flag = function(name)
      assert(fake.flags[name] ~= nil, name)
      return fake.flags[name]
    end,
    identifier = function()
      return "host-1"
    end,
    add = function(line, name, seconds)
      if fake.full then
        return nil, fake.full, "ENOSPC"
      elseif #line > 2000 then
        return nil, "more than 2000 bytes", "E2BIG"
      end
      fake.lines[#fake.lines + 1] = line
      fake.ran[#fake.ran + 1] = { name = name, at = seconds }
      return true
    end,
    commit = function()
      fake.commits = fake.commits + 1
    end,
    report = function(severity, message)
      fake.reports[#fake.reports + 1] = severity .. " " .. message
    end,
    keep = function(name, json)
      fake.kept[name] = json
    end,
    query = {
      run = function(text, options)
        fake.asked[#fake.asked + 1] = { text = text, options = options, at = fake.at }
        local answer = fake.answers[text]
        if not answer then
          return nil, "no such table: " .. text, "EINVAL", stats()
        end
        return answer(options)
      end,
      interrupt = function()
        fake.interrupted = true
      end,
      tables = function(text)
        return fake.tables[text] or { "processes" }
      end,
      views = function(views)
        fake.views = views
        return fake.refused or ""
      end,
    },
    notes = {
      get = function(name)
        return fake.notes[name]
      end,
      put = function(name, text)
        fake.notes[name] = text
        return true
      end,
      remove = function(name)
        fake.notes[name] = nil
        return true
      end,
      names = function(prefix)
        local names = {}
        for name in pairs(fake.notes) do
          if name:sub(1, #prefix) == prefix then
            names[#names + 1] = name
          end
        end
        table.sort(names)
        return names
      end,
    },
  }
  function fake.world.settings()
    return { shard = 50, default_interval = fake.flags.schedule_default_interval, delimiter = fake.flags.pack_delimiter }
  end
  fake.scheduler = require("moonwatch.osquery.scheduler").new(fake.world)

  function fake.apply(document, source)
    local warnings, message = fake.scheduler:apply(document, source or "backend")
    assert(warnings, message)
    return warnings
  end

  --- Let so many seconds pass; the lines of that time.
  function fake.run(seconds)
    fake.lines, fake.ran, fake.asked = {}, {}, {}
    fake.until_ = fake.at + seconds
    fake.scheduler.is_stopped = false
    fake.scheduler:run()
    return fake.lines
  end

  return fake
end

return M

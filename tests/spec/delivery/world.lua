--- A spool, a clock and tasks that are none, so that hours of delivery take no time and the same each time.
local M = {}

local STREAMS = { "alerts", "results", "events", "status" }

local function contains(list, name)
  for _, one in ipairs(list or {}) do
    if one == name then
      return true
    end
  end
  return false
end

function M.new()
  local world = { time = 0, tasks = {}, rows = {}, cursor = {}, aside = {}, random = 0.5 }
  local fresh, woken = {}, {}
  for _, stream in ipairs(STREAMS) do
    world.rows[stream], world.cursor[stream] = {}, 0
  end

  --- A row, seen at once.
  function world.add(stream, body, id)
    local rows = world.rows[stream]
    rows[#rows + 1] = { stream = stream, seq = #rows + 1, id = id or stream .. #rows + 1, kind = "k", time_ns = 0, body = body or "{}" }
    fresh[stream] = (fresh[stream] or 0) + 1
  end

  function world.waiting()
    local n = 0
    for _, stream in ipairs(STREAMS) do
      n = n + #world.rows[stream] - world.cursor[stream]
    end
    return n
  end

  --- Run tasks until nothing is left to do before `time` (ms).
  function world.run(time)
    while true do
      local best
      for _, task in ipairs(world.tasks) do
        local due = (task.is_ready and task.is_ready()) and world.time or task.due
        if coroutine.status(task.thread) ~= "dead" and due <= time and (not best or due < best.at) then
          best = { at = due, task = task }
        end
      end
      if not best then
        world.time = math.max(world.time, time)
        return
      end
      world.time = math.max(world.time, best.at)
      local task = best.task
      local what = task.is_ready and task.is_ready() or "time"
      task.is_ready, task.due = nil, math.huge
      assert(coroutine.resume(task.thread, what))
    end
  end

  local function yield(ms, is_ready)
    local thread = coroutine.running()
    for _, task in ipairs(world.tasks) do
      if task.thread == thread then
        task.due, task.is_ready = world.time + ms, is_ready
      end
    end
    return coroutine.yield()
  end

  world.yield = yield

  world.host = {
    now = function() return world.time end,
    random = function() return world.random end,
    spawn = function(run, ...)
      local arguments = table.pack(...)
      world.tasks[#world.tasks + 1] = {
        thread = coroutine.create(function() run(table.unpack(arguments)) end), due = world.time,
      }
    end,
    sleep = function(ms) yield(ms) end,
    read = function(_, options)
      local batch, bytes, more = {}, 0, false
      for _, stream in ipairs(STREAMS) do
        for i = world.cursor[stream] + 1, contains(options.streams, stream) and not more and #world.rows[stream] or 0 do
          local row = world.rows[stream][i]
          if #batch == options.max_rows or (#batch > 0 and bytes + #row.body > options.max_bytes) then
            more = true
            break
          end
          bytes = bytes + #row.body
          batch[#batch + 1] = row
        end
      end
      for _, stream in ipairs(more and {} or options.streams) do
        fresh[stream] = 0
      end
      return batch, more
    end,
    ack = function(_, batch)
      for _, item in ipairs(batch) do
        world.cursor[item.stream] = math.max(world.cursor[item.stream], item.seq)
      end
      return true
    end,
    set_aside = function(_, item, why)
      assert(item.seq > world.cursor[item.stream], "it was read already")
      world.cursor[item.stream] = item.seq
      world.aside[#world.aside + 1] = { item.id, why }
      return true
    end,
    pending = function()
      return { alerts = world.waiting() }
    end,
    wake = function(name) woken[name] = true end,
    wait = function(name, ms, options)
      local function is_ready()
        local rows = 0
        if woken[name] then
          return "woken"
        end
        for _, stream in ipairs(STREAMS) do
          local n = fresh[stream] or 0
          if n > 0 and contains(options.urgent, stream) then
            return "new"
          end
          rows = rows + (contains(options.streams, stream) and n or 0)
        end
        return options.rows and rows >= options.rows and "new" or nil
      end
      local what = yield(ms, is_ready)
      woken[name] = nil
      return what
    end,
  }
  return world
end

return M

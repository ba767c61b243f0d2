--- Queries that the backend wants answered now.
local carve = require "moonwatch.osquery.carve"
local client = require "moonwatch.osquery.client"
local crypto = require "moonwatch.crypto"
local enroll = require "moonwatch.osquery.enroll"
local flags = require "moonwatch.flags"
local json = require "moonwatch.osquery.json"
local loop = require "moonwatch.loop"
local notes = require "moonwatch.notes"
local query = require "moonwatch.query"
local status_log = require "moonwatch.osquery.status_log"
local text = require "moonwatch.text"

---@class moonwatch.osquery.distributed
local M = {}

--- The same SQL is not run again that was running when a sensor died: digest -> when.
local DENIED <const> = "distributed/denied"
--- What was accepted and has not begun yet, for a sensor that comes after this one.
local ACCEPTED <const> = "distributed/accepted/"
--- Of an answer of the backend, which may hold many queries.
local ANSWER_BYTES <const> = 4 << 20
--- Queries taken of one answer.
local QUERIES <const> = 1024
--- Of the rows of one query, and of one request with answers; the strictest backend takes 5 MiB.
local ROWS_BYTES <const> = 4 << 20
local WRITE_BYTES <const> = 4 << 20
--- Answers that could not be sent and are kept.
local KEPT_BYTES <const> = 16 << 20
local ACCELERATED_S <const> = 5
local ACCELERATE_MAX_S <const> = 24 * 3600
local CAP_S <const> = 30

local denied
local accelerated_until = 0
-- What is not sent yet: {id, rows, status, message, stats}.
local kept = {}
local wake = loop.bell()

local function denylist()
  denied = denied or json.decode(notes.get(DENIED) or "{}") or {}
  local duration = flags.get "distributed_denylist_duration"
  for digest, time in pairs(denied) do
    if type(time) ~= "number" or loop.time() - time > duration then
      denied[digest] = nil
    end
  end
  return denied
end

local function save()
  if next(denied) then
    notes.put(DENIED, json.encode(denied))
  else
    notes.remove(DENIED)
  end
end

--- Rows as JSON.
local function ask(sql)
  return query.run(sql, { answer_bytes = ROWS_BYTES, json = { numbers = false, null = "" } })
end

local function stats_of(stats)
  if type(stats) ~= "table" then
    return "{}"
  end
  return json.object {
    { "wall_time_ms", ("%d"):format(stats.wall_ms) },
    { "user_time", ("%d"):format(stats.user_ms) },
    { "system_time", ("%d"):format(stats.system_ms) },
    { "memory", ("%d"):format(stats.memory) },
  }
end

--- One query, answered.
local function run(id, sql)
  local digest = crypto.sha256(sql)
  if denylist()[digest] then
    status_log.write(status_log.WARNING, ("distributed query %s is denylisted"):format(text.printable(id, 120)))
    return { id = id, rows = "[]", status = 1, message = "distributed query is denylisted", stats = "{}" }
  end
  if flags.get "distributed_loginfo" then
    status_log.write(status_log.INFO, ("Executing distributed query: %s: %s"):format(text.printable(id, 120),
      text.printable(sql, 1000)))
  end
  denied[digest] = math.floor(loop.time())
  save()
  local rows, problem, stats, more = ask(sql)
  denied[digest] = nil
  save()
  if rows then
    carve.take(stats.warnings)
  end
  if not rows then
    return { id = id, rows = "[]", status = 1, message = tostring(problem), stats = stats_of(more) }
  end
  return { id = id, rows = "[" .. table.concat(rows, ",") .. "]", status = 0, message = "", stats = stats_of(stats) }
end

local function size_of(answer)
  return #answer.rows + #answer.message + 2 * #answer.id + 256
end

--- The members of a request with answers[from…to].
local function members_of(answers, from, to)
  local queries, statuses, messages, stats = {}, {}, {}, {}
  for i = from, to do
    local answer = answers[i]
    queries[#queries + 1] = { answer.id, answer.rows }
    statuses[#statuses + 1] = { answer.id, ("%d"):format(answer.status) }
    messages[#messages + 1] = { answer.id, json.encode(answer.message) }
    stats[#stats + 1] = { answer.id, answer.stats }
  end
  return {
    { "queries", json.object(queries) },
    { "statuses", json.object(statuses) },
    { "messages", json.object(messages) },
    { "stats", json.object(stats) },
  }
end

--- POST, some times.
local function post(endpoint, members, options)
  local attempts = flags.get "distributed_tls_max_attempts"
  local answer, message, failure
  for try = 1, attempts do
    enroll.await()
    answer, message, failure = client.post(endpoint, members, options)
    if answer or try == attempts or failure and failure.retry_after_s then
      break
    end
    if not (failure and failure.node_invalid) then
      loop.sleep(client.delay(try, CAP_S, failure))
    end
  end
  return answer, message, failure
end

--- Send what there is, in as many requests as it takes; what is not taken is kept for the next round.
local function write()
  while #kept > 0 do
    local to, bytes = 1, size_of(kept[1])
    while to < #kept and bytes + size_of(kept[to + 1]) <= WRITE_BYTES do
      to = to + 1
      bytes = bytes + size_of(kept[to])
    end
    local answer, message, failure = post("write", members_of(kept, 1, to))
    local status = failure and failure.status
    if not answer and not (status == 400 or status == 413 or status == 422) then
      return nil, message, failure
    elseif not answer then
      status_log.write(status_log.ERROR, ("answers to %d distributed queries are refused: %s"):format(to, message))
    end
    table.move(kept, to + 1, #kept + to, 1)
  end
  return true
end

local function keep(answer)
  kept[#kept + 1] = answer
  local bytes = 0
  for i = #kept, 1, -1 do
    bytes = bytes + size_of(kept[i])
    if bytes > KEPT_BYTES then
      status_log.write(status_log.WARNING, ("answers to %d distributed queries are given up: too many wait"):format(i))
      table.move(kept, i + 1, #kept + i, 1)
      return
    end
  end
end

--- What of an answer is to be run, in the order of ids; lines about the rest.
---@param answer table
---@return {id: string, sql: string, discovery: string?}[]
function M.accept(answer)
  local list, queries = {}, type(answer.queries) == "table" and answer.queries or {}
  local discovery = type(answer.discovery) == "table" and answer.discovery or {}
  local ids = {}
  for id, sql in pairs(queries) do
    if type(id) ~= "string" or id == "" or type(sql) ~= "string" or sql == "" then
      status_log.write(status_log.WARNING, ("distributed query %s is no text; passed over"):format(text.printable(tostring(id),
        120)))
    else
      ids[#ids + 1] = id
    end
  end
  table.sort(ids)
  for i, id in ipairs(ids) do
    if i > QUERIES then
      status_log.write(status_log.WARNING, ("%d distributed queries at once are too many; %d are taken"):format(#ids, QUERIES))
      break
    end
    local condition = discovery[id]
    if condition ~= nil and type(condition) ~= "string" then
      status_log.write(status_log.WARNING, ("the discovery query of %s is no text; it is passed over"):format(
        text.printable(id, 120)))
    else
      list[#list + 1] = { id = id, sql = queries[id], discovery = condition }
    end
  end
  return list
end

--- Does it apply here?  A discovery query that fails says no.
local function applies(one, known)
  if not one.discovery then
    return true
  end
  if known[one.discovery] == nil then
    local rows, problem = query.run(one.discovery, { answer_bytes = ROWS_BYTES })
    known[one.discovery] = rows and #rows > 0 or false
    if not rows then
      status_log.write(status_log.WARNING, ("the discovery query of %s fails: %s"):format(text.printable(one.id, 120), problem))
    end
  end
  return known[one.discovery]
end

--- Run them, one after another.  Each is noted until it has ended: should it kill us, it is answered by the denylist.
local function work(list)
  local known = {}
  for i, one in ipairs(list) do
    one.note = ("%s%06d"):format(ACCEPTED, i)
    notes.put(one.note, json.encode { id = one.id, sql = one.sql, discovery = one.discovery })
  end
  for _, one in ipairs(list) do
    if applies(one, known) then
      keep(run(one.id, one.sql))
    end
    notes.remove(one.note)
  end
end

--- What a sensor before this one had accepted.
local function finish_accepted()
  local list = {}
  for _, name in ipairs(notes.names(ACCEPTED) or {}) do
    local one = json.decode(notes.get(name) or "")
    if one and type(one.id) == "string" and type(one.sql) == "string" then
      list[#list + 1] = { id = one.id, sql = one.sql, discovery = type(one.discovery) == "string" and one.discovery or nil }
    end
    notes.remove(name)
  end
  work(list)
end

local function take_acceleration(answer)
  local seconds = math.type(answer.accelerate) and math.tointeger(answer.accelerate)
  if seconds and seconds > 0 then
    accelerated_until = loop.now() + math.min(seconds, ACCELERATE_MAX_S) * 1000
  end
end

--- Ask, run, answer.
---@return boolean? ok
---@return string? message
---@return moonwatch.osquery.Failure? failure
local function turn()
  local answer, message, failure = post("read", {}, { answer_bytes = ANSWER_BYTES })
  if not answer then
    return nil, message, failure
  end
  take_acceleration(answer)
  work(M.accept(answer))
  return write()
end

local function pause_ms(failures, failure)
  local s = flags.get "distributed_interval"
  if loop.now() < accelerated_until then
    s = math.min(s, ACCELERATED_S)
  end
  local ms = s * 1000 * (0.9 + math.random() / 5)
  if failures > 0 then
    -- Longer and longer, up to some minutes; never more often than asked for.
    ms = math.max(ms, client.delay(failures, 300, failure))
  end
  return ms
end

---@param given { report: fun(line: string) }
function M.start(given)
  local failures = 0
  finish_accepted()
  while true do
    local failure
    if not flags.get "disable_distributed" then
      local ok, message
      ok, message, failure = turn()
      if ok and failures > 0 then
        given.report "distributed queries can be had again"
      elseif not ok and failures == 0 then
        given.report(("distributed queries cannot be had: %s"):format(message))
      end
      failures = ok and 0 or failures + 1
    end
    wake:wait(pause_ms(failures, failure))
  end
end

--- Flags have changed.
function M.applied()
  wake:ring()
end

return M

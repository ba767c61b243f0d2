--- Files that the backend asks for: copied into an archive, and sent in blocks.
---
--- The order is a query of the table carves (core/sql/tables/carves.c), whose warning says what is asked for.
local archive = require "moonwatch.archive"
local backends = require "moonwatch.osquery.backends"
local client = require "moonwatch.osquery.client"
local crypto = require "moonwatch.crypto"
local enroll = require "moonwatch.osquery.enroll"
local flags = require "moonwatch.flags"
local json = require "moonwatch.osquery.json"
local loop = require "moonwatch.loop"
local query = require "moonwatch.query"
local status_log = require "moonwatch.osquery.status_log"
local text = require "moonwatch.text"

---@class moonwatch.osquery.carve
local M = {}

--- Waiting to be sent, known in the table, and files of one request.
local WAITING <const> = 16
local KNOWN <const> = 64
local FILES <const> = 512
local TRIES <const> = 3
local CAP_S <const> = 30

local known, waiting = {}, {}
local is_running = false
local keep

local function guid()
  local hex = crypto.random(16)
  return ("%s-%s-4%s-a%s-%s"):format(hex:sub(1, 8), hex:sub(9, 12), hex:sub(14, 16), hex:sub(18, 20), hex:sub(21))
end

local function show()
  local parts = {}
  for i, carve in ipairs(known) do
    parts[i] = json.encode {
      time = carve.time, path = carve.path, status = carve.status, sha256 = carve.sha256, size = carve.size,
      carve_guid = carve.guid, request_id = carve.request_id,
    }
  end
  keep("carves", "[" .. table.concat(parts, ",") .. "]")
end

local function set_status(carve, status)
  carve.status = status
  show()
end

--- Regular files that a path, or a pattern with %, names.
local function files_of(path)
  local condition = path:find("%", 1, true) and "LIKE" or "="
  local rows, message = query.run(("SELECT path FROM file WHERE path %s '%s' AND type = 'regular' ORDER BY path LIMIT %d"):format(
    condition, path:gsub("'", "''"), FILES))
  if not rows then
    return nil, message
  end
  local paths = {}
  for i, row in ipairs(rows) do
    paths[i] = row.path
  end
  return paths, #paths == 0 and "there is no such file" or nil
end

--- Copy them; true once the archive is whole.
local function fill(archived, paths)
  local left = flags.get "carver_max_mib" << 20
  local count = 0
  for _, path in ipairs(paths) do
    local size, message, code = archived:add(path, left)
    if code == "EFBIG" then
      return nil, ("%s: files of one request may have %d MiB, see --carver_max_mib"):format(path, flags.get "carver_max_mib")
    elseif size then
      left = left - size
      count = count + 1
      local more
      repeat
        more, message = archived:copy()
        loop.sleep(0)
      until not more
      if more == nil then
        return nil, message
      end
    else
      status_log.write(status_log.WARNING, ("carving: %s: %s"):format(text.printable(path, 400), message))
    end
  end
  return count > 0, count == 0 and "none of the files can be read" or nil
end

local function post(endpoint, members, options)
  local answer, message, failure
  for try = 1, TRIES do
    enroll.await()
    answer, message, failure = client.post(endpoint, members, options)
    if answer then
      return answer
    end
    if try < TRIES then
      loop.sleep(client.delay(try, CAP_S, failure))
    end
  end
  return nil, message
end

local function send(carve, archived)
  local block_size = flags.get "carver_block_size"
  local count = (carve.size + block_size - 1) // block_size
  local answer, message = post("carve_start", {
    { "block_count", ("%d"):format(count) },
    { "block_size", ("%d"):format(block_size) },
    { "carve_size", ("%d"):format(carve.size) },
    { "carve_id", json.encode(carve.guid) },
    { "request_id", json.encode(carve.request_id) },
  })
  local session = answer and answer.session_id
  if type(session) ~= "string" or session == "" then
    return nil, message or "the backend begins no session"
  end
  for block = 0, count - 1 do
    local piece
    piece, message = archived:piece(block * block_size, math.min(block_size, carve.size - block * block_size))
    if piece then
      answer, message = post("carve_continue", {
        { "block_id", ("%d"):format(block) },
        { "session_id", json.encode(session) },
        { "request_id", json.encode(carve.request_id) },
        { "data", json.encode(piece) },
      }, { without_key = true })
    end
    if not piece or not answer then
      return nil, ("block %d: %s"):format(block, message)
    end
  end
  return true
end

local function run(carve)
  set_status(carve, "STARTING")
  local paths, message = files_of(carve.path)
  if not paths or #paths == 0 then
    return "CREATE PATHS FAILED", message
  end
  local archived <close>, why, code = archive.new(flags.get "carver_compression")
  local whole = archived
  if not whole and code == "ENOSYS" then
    status_log.write(status_log.WARNING, "carving: libzstd is not there, so the archive is not packed")
    whole, why = archive.new(false)
  end
  if not whole then
    return "ARCHIVE FAILED", why
  end
  local ok
  ok, message = fill(whole, paths)
  if ok then
    carve.size, message = whole:finish()
    ok = carve.size ~= nil
    carve.sha256 = ok and message or nil
  end
  if not ok then
    whole:close()
    return "ARCHIVE FAILED", message
  end
  set_status(carve, "PENDING")
  ok, message = send(carve, whole)
  whole:close()
  return ok and "SUCCESS" or "DATA POST FAILED", message
end

local function work()
  while waiting[1] do
    local carve = table.remove(waiting, 1)
    local status, message = run(carve)
    set_status(carve, status)
    status_log.write(status == "SUCCESS" and status_log.INFO or status_log.WARNING, ("carving %s: %s%s"):format(
      text.printable(carve.path, 400), status, message and status ~= "SUCCESS" and ": " .. message or ""))
  end
  is_running = false
end

---@param given { keep: fun(name: string, text: string) }
function M.begin(given)
  keep = given.keep
end

--- What a query asked for, as its warnings say.
---@param warnings string?
function M.take(warnings)
  if (warnings or ""):find("carves: not allowed", 1, true) then
    status_log.write(status_log.WARNING, "carving is not allowed here, see --disable_carver")
  end
  for path in (warnings or ""):gmatch "carves: asked for (/[^\n]*)" do
    if not backends.path "carve_start" or not backends.path "carve_continue" then
      status_log.write(status_log.WARNING, "carving: the backend has no path for it")
    elseif #waiting >= WAITING then
      status_log.write(status_log.WARNING, ("carving %s: too many wait"):format(text.printable(path, 400)))
    else
      local carve = { path = path, guid = guid(), request_id = guid(), time = math.floor(loop.time()), size = 0, sha256 = "" }
      waiting[#waiting + 1] = carve
      known[#known + 1] = carve
      if #known > KNOWN then
        table.remove(known, 1)
      end
      set_status(carve, "SCHEDULED")
    end
  end
  if waiting[1] and not is_running then
    is_running = true
    loop.spawn(work)
  end
end

return M

--- The backend's configuration: asked for as soon as there is a node key, and again and again; the last good one is kept, and holds
--- until there is another.
local client = require "moonwatch.osquery.client"
local config = require "moonwatch.osquery.config"
local crypto = require "moonwatch.crypto"
local enroll = require "moonwatch.osquery.enroll"
local flags = require "moonwatch.flags"
local identity = require "moonwatch.osquery.identity"
local json = require "moonwatch.osquery.json"
local loop = require "moonwatch.loop"
local state = require "moonwatch.state"
local status_log = require "moonwatch.osquery.status_log"

---@class moonwatch.osquery.refresh
local M = {}

local FILE <const> = "config.json"
--- As osquery's, and that of a file.
local DOCUMENT_BYTES <const> = 4 << 20
local CAP_S <const> = 30

local options
local wake = loop.bell()
-- Of the first time.
local asked, is_asked = loop.bell(), false
-- Digest of the text that was applied last, or refused last.
local seen

local function origin()
  return client.origin()
end

local function backup_name()
  return crypto.sha256(origin() .. " " .. identity.identifier()):sub(1, 32)
end

local function keep(text)
  if flags.get "config_enable_backup" then
    local ok, message = state.write(FILE, backup_name() .. "\n" .. text)
    if not ok and state.path(FILE) then
      status_log.write(status_log.WARNING, "the configuration cannot be kept for the next start: " .. message)
    end
  end
end

--- Apply what is new; true when it was taken.
local function apply(document, text)
  local digest = crypto.sha256(text)
  if digest == seen then
    return true
  end
  seen = digest
  document.node_invalid = nil
  local warnings, message = config.apply(document, "backend", origin())
  options.applied()
  if not warnings then
    options.report(("the backend's configuration is refused: %s; what held before still does"):format(message))
    return false
  end
  for _, warning in ipairs(warnings) do
    status_log.write(status_log.WARNING, "configuration: " .. warning)
  end
  status_log.write(status_log.INFO, ("configuration applied (%d bytes)"):format(#text))
  return true
end

local function use_backup()
  local kept = flags.get "config_enable_backup" and state.read(FILE)
  local name, text = (kept or ""):match "^(%x+)\n(.*)$"
  if name ~= backup_name() then
    return
  end
  local document = json.decode(text)
  if document then
    apply(document, text)
  end
end

--- Ask, some times.  False with why when it cannot be had.
local function fetch()
  local message, failure
  local attempts = flags.get "config_tls_max_attempts"
  for try = 1, attempts do
    enroll.await()
    local document, text
    document, text, failure = client.post("config", {}, { answer_bytes = DOCUMENT_BYTES, raw = true })
    if document then
      if apply(document, text) then
        keep(text)
      end
      return true
    end
    message = text
    -- With a new node key at once; else not where the server wants to be left alone.
    if try < attempts and not (failure and failure.node_invalid) then
      if failure and failure.retry_after_s then
        break
      end
      loop.sleep(client.delay(try, CAP_S, failure))
    end
  end
  return false, message, failure
end

---@param given { applied: fun(), report: fun(line: string) }
function M.start(given)
  options = given
  use_backup()
  local is_failing = false
  local is_first = true
  while true do
    local ok, message, failure = fetch()
    is_asked = true
    asked:ring()
    if ok and is_failing then
      options.report "the backend's configuration can be had again"
    elseif not ok and not is_failing then
      options.report(("the backend's configuration cannot be had: %s; what held before still does"):format(message))
    end
    is_failing = not ok
    local period_s = flags.get "config_refresh"
    if ok and period_s == 0 then
      wake:wait(24 * 3600 * 1000) -- until it is changed
    else
      if not ok then
        period_s = period_s > 0 and math.min(period_s, flags.get "config_accelerated_refresh")
          or flags.get "config_accelerated_refresh"
      end
      -- Those that started together do not come back together; later, each keeps its place.
      local ms = period_s * 1000 * (is_first and math.random() or 0.9 + math.random() / 10)
      if failure and failure.retry_after_s then
        ms = math.max(ms, client.delay(1, 1, failure))
      end
      is_first = false
      wake:wait(math.max(ms, 100))
    end
  end
end

--- Wait until it was asked for once.
---@param ms number
---@return boolean
function M.await(ms)
  local deadline = loop.now() + ms
  while options and not is_asked and loop.now() < deadline do
    asked:wait(math.max(1, deadline - loop.now()))
  end
  return is_asked
end

--- Ask now.
function M.now()
  wake:ring()
end

return M

--- Signed bundles of rules: given in a configuration, or fetched from a server that answers GET.  What may be put in force, and
--- whether, is decided in C (core/bundle, core/sensor/bundles.c); here is where they come from.
local backends = require "moonwatch.osquery.backends"
local bundles = require "moonwatch.bundles"
local flags = require "moonwatch.flags"
local loop = require "moonwatch.loop"
local text = require "moonwatch.text"
local tls = require "moonwatch.tls"

---@class moonwatch.bundle
local M = {}

--- Somewhat more than a bundle may have, so that it is known which one was too large.
local ANSWER_BYTES = (4 << 20) + 4096
local TOTAL_MS = 120000
local MAX_URL_BYTES = 2048
local MAX_VERSION_BYTES = 64
--- Tries of one fetch that a configuration asked for, and what is waited at most between those of any.
local TRIES = 8
local BASE_MS = 1000
local CAP_MS = 300000

M.apply = bundles.apply

local function or_nil(value)
  return value ~= "" and value or nil
end

--- Full jitter, and never at once again.
local function pause(try)
  return 500 + math.random() * math.min(CAP_MS, BASE_MS * 2 ^ try)
end

---@return string? message  why it is no such URL
local function why_not_url(url)
  if type(url) ~= "string" or #url > MAX_URL_BYTES or not url:find "^https://[^%s%c/]+/%S*$" then
    return "url is not one of the form https://HOST/PATH"
  end
end

--- Fetch and apply.  Where it could not be fetched, "unreachable".
---@param url string
---@param etag string?
---@return string result  "applied", "refused", "same" or "unreachable"
---@return string? message
---@return string? etag  of what was fetched
---@return number? retry_after_s
---@return string|integer|nil code  of what is wrong: the text may differ from try to try
local function fetch(url, etag)
  local answer, message, code = tls.request {
    url = url,
    headers = { ["If-None-Match"] = etag, ["User-Agent"] = "moonwatch", Accept = "application/octet-stream" },
    follow = true,
    total_ms = TOTAL_MS,
    answer_bytes = ANSWER_BYTES,
    ca_file = or_nil(flags.get "tls_server_certs"),
    proxy = backends.proxy(),
  }
  if not answer then
    return "unreachable", message, nil, nil, code
  elseif answer.status == 304 then
    return "same", nil, etag
  elseif answer.status ~= 200 then
    return "unreachable", ("%s answered %d"):format(url, answer.status), nil, tonumber(answer.headers["retry-after"]), answer.status
  end
  local found = answer.headers.etag
  local ok, why = bundles.apply(answer.body, url)
  return ok and "applied" or "refused", why, found
end

M.fetch = fetch

--- Only the last one that a configuration named is fetched.
local wanted

local function fetch_wanted(url, report)
  for try = 1, TRIES do
    local result, message, _, retry_after_s = fetch(url)
    if wanted ~= url or result ~= "unreachable" then
      return
    elseif try == TRIES then
      report(("the bundle at %s cannot be fetched: %s"):format(text.printable(url, 200), message))
    else
      loop.sleep(math.floor(math.max(pause(try), math.min(retry_after_s or 0, CAP_MS // 1000) * 1000)))
    end
    if wanted ~= url then
      return
    end
  end
end

--- The member `bundle` of a configuration: { version = "1.4.0", url = "https://…" } or { version = …, inline = BASE64 }.  What it
--- names is put in force, unless that version is; a bundle that is refused is told of, and the rest of the configuration applies.
---@param value any
---@param _ string  who gave it
---@return boolean? ok
---@return string? message
function M.take(value, _)
  if type(value) ~= "table" then
    return nil, "is not an object"
  elseif value.version ~= nil and (type(value.version) ~= "string" or #value.version > MAX_VERSION_BYTES) then
    return nil, "version is not a text"
  elseif value.version ~= nil and value.version == bundles.version() then
    return true
  elseif value.inline ~= nil then
    local bytes = type(value.inline) == "string" and bundles.decode(value.inline)
    if not bytes then
      return nil, "inline is not base64"
    end
    bundles.apply(bytes, "the configuration")
    return true
  end
  local why = why_not_url(value.url)
  if why then
    return nil, why
  end
  wanted = value.url
  loop.spawn(fetch_wanted, value.url, M.report)
  return true
end

--- Told when a bundle that a configuration names cannot be fetched.
---@param _ string
function M.report(_) end

--- Ask again and again, each time a little earlier or later, so that tasks that started together do not come together.
local function poll(url)
  local etag, told
  local try = 0
  while true do
    local result, message, found, retry_after_s, code = fetch(url, etag)
    local interval_ms = flags.get "bundle_interval" * 1000
    if result == "unreachable" then
      try = try + 1
      if told ~= code then
        M.report(("the bundle at %s cannot be fetched: %s"):format(text.printable(url, 200), message))
        told = code
      end
      loop.sleep(math.floor(math.min(interval_ms, math.max(pause(try), math.min(retry_after_s or 0, 3600) * 1000))))
    else
      if told then
        M.report(("the bundle at %s can be fetched again"):format(text.printable(url, 200)))
      end
      -- Also of one that was refused: it will be no better.
      try, told, etag = 0, nil, found
      loop.sleep(math.floor(interval_ms * (0.9 + 0.2 * math.random())))
    end
  end
end

---@param report fun(line: string)
function M.start(report)
  M.report = report
  local url = flags.get "bundle_url"
  if url == "" then
    return
  end
  local why = why_not_url(url)
  if why then
    report("bundle_url: " .. why)
    return
  end
  loop.spawn(poll, url)
end

return M

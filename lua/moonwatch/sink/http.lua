--- HTTP: NDJSON, or what a certain engine takes (option `to`).  One batch, one POST.
local address = require "moonwatch.sink.address"
local answer = require "moonwatch.delivery.answer"
local loop = require "moonwatch.loop"
local options = require "moonwatch.sink.options"
local tls = require "moonwatch.tls"

local KINDS = { "clickhouse", "loki", "ndjson", "opensearch", "splunk" }

---@class moonwatch.sink.http
local M = {
  is_network = true,
  wants_target = true,
  target = "https://HOST[:PORT][/PATH]",
  options = options.join(options.network, options.tls, {
    to = { kind = "choice", choices = KINDS, default = "ndjson" },
    header = { kind = "header" },
    gzip = { kind = "yes", default = true },
    proxy = { kind = "text" },
    user = { kind = "text" },
    password = { kind = "secret" },
    token = { kind = "secret" },
    index = { kind = "text" },
    source = { kind = "text" },
    table = { kind = "text" },
    database = { kind = "text" },
    columns = { kind = "choice", choices = { "own", "line" }, default = "line" },
    tenant = { kind = "text" },
    ["label."] = { kind = "text" },
  }),
}

-- An answer of _bulk to 10,000 rows.
local ANSWER_BYTES = 16 << 20

---@param part moonwatch.output.Part
---@return true?
---@return string? message
function M.check(part)
  local where, message = address.parse(part.target, { https = 443, http = 80 })
  if not where then
    return nil, message
  end
  local ok
  ok, message = address.check_plain(where, where.scheme == "http", part.options)
  if not ok then
    return nil, message
  end
  part.address = where
  return require("moonwatch.sink.http." .. part.options.to).check(part.options, where)
end

--- A basic one, of user and password.
local function basic(user, password)
  local secret = require "moonwatch.secret"
  return secret.join { "Basic ", secret.join({ user, ":", password }):to_base64() }
end

---@param part moonwatch.output.Part
---@return moonwatch.sink.Sender
function M.connect(part)
  local given, where = part.options, part.address
  local kind = require("moonwatch.sink.http." .. given.to)
  local origin = where.scheme .. "://" .. where.authority
  local base = { ["Content-Type"] = "application/json" }
  for name, value in pairs(given.header or {}) do
    base[name] = value
  end
  if given.password and not kind.has_own_password then
    base.Authorization = basic(given.user or "", given.password)
  end
  return {
    max_rows = 1000, max_bytes = 1 << 20,
    send = function(lines, items, budget_ms)
      local request = kind.encode(lines, items, given, where.path)
      local headers = setmetatable({}, { __index = base })
      for _, list in ipairs { base, request.headers or {} } do
        for name, value in pairs(list) do
          headers[name] = value
        end
      end
      local got, message, code = tls.request {
        url = origin .. request.path,
        method = "POST",
        plain = where.scheme == "http",
        headers = headers,
        body = request.body,
        gzip = given.gzip,
        total_ms = math.max(1, math.min(given.timeout_ms, budget_ms or math.huge)),
        answer_bytes = ANSWER_BYTES,
        ca_file = given.ca, cert_file = given.cert, key_file = given.key, pinned_key = given.pin,
        proxy = given.proxy,
      }
      local ok, why, trouble = answer.judge(got, message, code, loop.time())
      if got and kind.judge then
        return kind.judge(ok, why, trouble, got, items)
      end
      return ok, why, trouble
    end,
  }
end

return M

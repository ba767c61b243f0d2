--- Where backends that speak osquery's TLS API have what, and what they want of it.
local flags = require "moonwatch.flags"

---@class moonwatch.osquery.backends
local M = {}

---@alias moonwatch.osquery.Endpoint
---| "enroll" | "config" | "log" | "read" | "write" | "carve_start" | "carve_continue"

--- Flags that name a path, in the place of the preset's.
local named = {
  enroll = "enroll_tls_endpoint",
  config = "config_tls_endpoint",
  log = "logger_tls_endpoint",
  read = "distributed_tls_read_endpoint",
  write = "distributed_tls_write_endpoint",
  carve_start = "carver_start_endpoint",
  carve_continue = "carver_continue_endpoint",
}

M.presets = require "moonwatch.osquery.presets"

---@return moonwatch.osquery.Preset
function M.preset()
  return M.presets[flags.get "backend"]
end

--- The path of an endpoint; nil where this backend has none.
---@param endpoint moonwatch.osquery.Endpoint
---@return string?
function M.path(endpoint)
  local path = flags.get(named[endpoint])
  if path == "" then
    local preset = M.preset()
    local prefix = flags.get "backend_path"
    path = preset.endpoints[endpoint]
    path = path and (prefix ~= "" and prefix or preset.path):gsub("/+$", "") .. path
  end
  if path and path ~= "" then
    return path:find "^/" and path or "/" .. path
  end
  return nil
end

--- host and port of "[https://]HOST[:PORT][/]"; whether it is this machine by its own name.
---@param text string
---@return string? host  as it stands in an address; nil: no name of a host
---@return integer? port
---@return string? scheme
local function split(text)
  local scheme, rest = text:match "^(%a+)://(.*)$"
  rest = (rest or text):gsub("/+$", "")
  local host, port = rest:match "^(%[[%x:.]+%])(.*)$"
  if not host then
    host, port = rest:match "^([%w.-]+)(.*)$"
  end
  local number = port and port:match "^:(%d+)$"
  if not host or port ~= "" and not number or number and (tonumber(number) < 1 or tonumber(number) > 65535) then
    return nil
  end
  return host:lower(), tonumber(number), scheme and scheme:lower()
end

--- Where the backend is.
---@return string? origin  "https://HOST:PORT"
---@return string? resolve  for moonwatch.tls: an address to take instead of asking DNS
---@return string? message  when --tls_hostname is no good
function M.origin()
  local given = flags.get "tls_hostname"
  local host, port, scheme = split(given)
  if not host or scheme and scheme ~= "https" and scheme ~= "http" then
    return nil, nil, ("--tls_hostname=%s is no HOST or HOST:PORT"):format(given)
  end
  local is_here = host == "localhost" or host == "[::1]" or host:find "^127%.%d+%.%d+%.%d+$" ~= nil
  local is_plain = flags.get "allow_plain_http" and is_here and scheme ~= "https"
  if scheme == "http" and not is_plain then
    return nil, nil, "--tls_hostname: http:// is allowed to this machine alone, and with --allow_plain_http"
  end
  local origin = ("%s://%s%s"):format(is_plain and "http" or "https", host, port and ":" .. port or "")
  -- Whatever DNS says of that name, what is not encrypted stays on this machine.
  local resolve = is_plain and host == "localhost" and ("localhost:%d:127.0.0.1"):format(port or 80) or nil
  return origin, resolve
end

--- For moonwatch.tls: "http://HOST:PORT", or nil without one.
---@return string?
function M.proxy()
  local given = flags.get "proxy_hostname"
  if given == "" then
    return nil
  end
  return given:find ":%d+$" and "http://" .. given or ("http://%s:3128"):format(given)
end

return M

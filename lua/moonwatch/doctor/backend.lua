--- Does what --tls_hostname names speak osquery's protocol where this backend has its paths?  Asked without enrolling, and without a
--- node key, which it refuses in its own way.
local cjson = require "cjson"
local loop = require "moonwatch.loop"
local presets = require "moonwatch.osquery.presets"
local text = require "moonwatch.text"
local tls = require "moonwatch.tls"

local function or_nil(value)
  return value ~= "" and value or nil
end

local function path_of(facts)
  local flags = facts.flags
  if flags.config_tls_endpoint ~= "" then
    return flags.config_tls_endpoint:find "^/" and flags.config_tls_endpoint or "/" .. flags.config_tls_endpoint
  end
  local preset = presets[flags.backend]
  local path = preset and preset.endpoints.config
  return path and (or_nil(flags.backend_path) or preset.path):gsub("/+$", "") .. path
end

local function backend(facts)
  local flags = facts.flags
  if (flags.tls_hostname or "") == "" then
    return "off", "no backend is set (--tls_hostname)"
  end
  local path = path_of(facts)
  if not path then
    return "failed", ("--backend=%s has no path of its own"):format(flags.backend),
      "name the kind of backend (--backend), or each path (--enroll_tls_endpoint, --config_tls_endpoint, …)"
  end
  local proxy = or_nil(flags.proxy_hostname)
  local host = flags.tls_hostname:gsub("^https://", ""):gsub("/+$", "")
  local answer, message = tls.request {
    url = ("https://%s%s"):format(host, path),
    method = "POST",
    headers = { ["Content-Type"] = "application/json", Accept = "application/json", ["User-Agent"] = "osquery/5.23.0 moonwatch" },
    body = '{"node_key":""}',
    total_ms = math.max(1, math.floor(facts.deadline - loop.now() - 500)),
    connect_ms = 5000,
    ca_file = or_nil(flags.tls_server_certs),
    cert_file = or_nil(flags.tls_client_cert),
    key_file = or_nil(flags.tls_client_key),
    pinned_key = or_nil(flags.tls_pinned_key),
    proxy = proxy and (proxy:find ":%d+$" and "http://" .. proxy or ("http://%s:3128"):format(proxy)),
  }
  if not answer then
    return "failed", message, "see the checks dns and tls"
  end
  local is_json, decoded = pcall(cjson.decode, answer.body)
  local said = ("%s answers HTTP %d"):format(path, answer.status)
  if answer.status >= 500 then
    return "degraded", said, "see the backend's own log"
  elseif answer.status == 404 or answer.status >= 300 and answer.status < 400 then
    return "failed", said, "see whether --backend and --backend_path, or the *_tls_endpoint, are those of this backend"
  elseif is_json and type(decoded) == "table" or answer.body == "" then
    return "ok", said .. ", as a backend that does not know us yet"
  end
  return "failed", ("%s, which is no JSON: %s"):format(said, text.printable(answer.body, 60)),
    "see whether something in between answers: a proxy, a load balancer, a log-in page"
end

return { { name = "backend", run = backend, waits = true } }

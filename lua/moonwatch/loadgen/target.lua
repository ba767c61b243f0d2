--- The backend, and the secret to enrol with there.
local enroll_secret = require "moonwatch.enroll_secret"
local presets = require "moonwatch.osquery.presets"
local secret = require "moonwatch.secret"

---@class moonwatch.loadgen.target
local M = {}

--- May wait: for the secret.
---@param options moonwatch.loadgen.Options
---@return moonwatch.loadgen.Shared?
---@return string? message
function M.of(options)
  local preset = presets[options.backend]
  if not preset or not preset.endpoints.enroll then
    return nil, ("--backend=%s is not known, or has no paths of its own"):format(options.backend)
  end
  local quoted = secret.new '""'
  if options.enroll_secret ~= "" then
    local name = options.enroll_secret:match "^env:(.*)$"
    local value, message = enroll_secret.read(options.enroll_secret, name and secret.env(name))
    if not value then
      return nil, "--enroll_secret: " .. message
    end
    quoted = value:quote()
  end
  local shared = {
    options = options,
    origin = "https://" .. options.tls_hostname,
    ca_file = options.tls_server_certs ~= "" and options.tls_server_certs or nil,
    paths = {},
  }
  local prefix = options.backend_path ~= "" and options.backend_path or preset.path
  for name, path in pairs(preset.endpoints) do
    shared.paths[name] = prefix:gsub("/+$", "") .. path
  end
  function shared.enrolment(uuid, details)
    return secret.join { '{"enroll_secret":', quoted, (',"host_identifier":"%s","platform_type":"9","host_details":%s}'):format(
      uuid, details) }
  end
  return shared
end

return M

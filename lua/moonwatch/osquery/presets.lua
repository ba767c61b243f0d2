--- Where backends have their paths, and what they take.

---@class moonwatch.osquery.Preset
---@field path string  what paths begin with, unless --backend_path says otherwise
---@field takes_gzip boolean?  of log lines
---@field log_bytes integer?  that a request with log lines may have
---@field endpoints table<moonwatch.osquery.Endpoint, string>

---@type table<string, moonwatch.osquery.Preset>
return {
  custom = { path = "", endpoints = {} },
  doorman = {
    path = "",
    endpoints = {
      enroll = "/enroll",
      config = "/config",
      log = "/log",
      read = "/distributed/read",
      write = "/distributed/write",
    },
  },
  fleet = {
    path = "",
    takes_gzip = true,
    log_bytes = 8 << 20,
    endpoints = {
      enroll = "/api/osquery/enroll",
      config = "/api/osquery/config",
      log = "/api/osquery/log",
      read = "/api/osquery/distributed/read",
      write = "/api/osquery/distributed/write",
      carve_start = "/api/osquery/carve/begin",
      carve_continue = "/api/osquery/carve/block",
    },
  },
  osctrl = {
    path = "",
    takes_gzip = true,
    endpoints = {
      enroll = "/enroll",
      config = "/config",
      log = "/log",
      read = "/read",
      write = "/write",
      carve_start = "/init",
      carve_continue = "/block",
    },
  },
  uptycs = {
    path = "",
    endpoints = {
      enroll = "/agent/enroll",
      config = "/agent/config",
      log = "/agent/log",
      read = "/agent/distributed_read",
      write = "/agent/distributed_write",
      carve_start = "/agent/carve_init",
      carve_continue = "/agent/carve_block",
    },
  },
  zentral = {
    path = "/public",
    endpoints = {
      enroll = "/osquery/enroll",
      config = "/osquery/config",
      log = "/osquery/log",
      read = "/osquery/distributed/read",
      write = "/osquery/distributed/write",
      carve_start = "/osquery/carver/start",
      carve_continue = "/osquery/carver/continue",
    },
  },
}

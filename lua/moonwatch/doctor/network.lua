--- Checks of sockets, names, TLS and the clock.
local loop = require "moonwatch.loop"
local tls = require "moonwatch.tls"

--- Certificates of backends are seldom valid for longer, and tokens of AWS are refused past five minutes.
local CLOCK_DRIFT_S <const> = 30

local function sock_diag(facts)
  if facts.sock_diag == 0 then
    return "ok", "netlink tells of sockets"
  end
  return "degraded", ("netlink is refused (%s): sockets are read from /proc/net, short connections are missed"):format(
    facts.sock_diag_error), "allow socket(AF_NETLINK, …, NETLINK_SOCK_DIAG) in the seccomp profile"
end

local months = { Jan = 1, Feb = 2, Mar = 3, Apr = 4, May = 5, Jun = 6, Jul = 7, Aug = 8, Sep = 9, Oct = 10, Nov = 11,
  Dec = 12 }

--- Seconds since 1970 of a Date header, RFC 9110 5.6.7.
local function time_of(date)
  local day, month, year, hour, minute, second = (date or ""):match "^%a+, (%d%d) (%a+) (%d%d%d%d) (%d%d):(%d%d):(%d%d) GMT$"
  if not months[month] then
    return nil
  end
  local y, m = tonumber(year), months[month]
  if m <= 2 then
    y, m = y - 1, m + 12
  end
  local days = 365 * y + y // 4 - y // 100 + y // 400 + (153 * (m - 3) + 2) // 5 + tonumber(day) - 1 - 719468
  return days * 86400 + tonumber(hour) * 3600 + tonumber(minute) * 60 + tonumber(second)
end

local function backend(facts)
  local host = facts.flags.tls_hostname
  return host and host ~= "" and host or nil
end

--- The one request that names, TLS and the clock are judged by.
local function ask(facts)
  if facts.asked then
    while not facts.asked.done do
      loop.sleep(5)
    end
    return facts.asked
  end
  local asked = {}
  facts.asked = asked
  local ca = facts.flags.tls_server_certs
  local begun = loop.time()
  asked.answer, asked.message, asked.code = tls.request {
    url = "https://" .. backend(facts) .. "/",
    total_ms = math.max(1, math.floor(facts.deadline - loop.now() - 500)),
    connect_ms = 5000,
    ca_file = ca and ca ~= "" and ca or nil,
    certificates = true,
  }
  asked.time = (begun + loop.time()) / 2
  asked.done = true
  return asked
end

local NO_BACKEND <const> = "no backend is set (--tls_hostname)"

local function dns(facts)
  if not backend(facts) then
    return "off", NO_BACKEND
  end
  local asked = ask(facts)
  if asked.code == "ENOENT" then
    return "failed", asked.message, "see /etc/resolv.conf, the VPC's enableDnsSupport, and whether the name is right"
  end
  return "ok", backend(facts):gsub(":%d+$", "") .. " has an address"
end

local function chain_of(answer)
  local names = {}
  for _, certificate in ipairs(answer.certificates or {}) do
    names[#names + 1] = ("%s (until %s)"):format(certificate.subject or "?", certificate.expires or "?")
  end
  return names[1] and table.concat(names, " ← ") or "chain not known"
end

local function tls_check(facts)
  if not backend(facts) then
    return "off", NO_BACKEND
  end
  local asked = ask(facts)
  if asked.answer then
    return "ok", ("%s answers HTTP %d; %s"):format(backend(facts), asked.answer.status, chain_of(asked.answer))
  end
  local mends = {
    EKEYREJECTED = "give the certificates of the backend's CA in --tls_server_certs",
    ECONNREFUSED = "see whether host and port are right, and whether the backend runs",
    ETIMEDOUT = "let this task's security group and routes reach the backend",
    ENOENT = "see the check dns",
  }
  return "failed", asked.message, mends[asked.code] or "see whether host and port are those of a server that speaks TLS"
end

local function clock(facts)
  local drift = facts.metadata and facts.metadata.task.clock_error_bound_ms
  if not backend(facts) then
    return "off", NO_BACKEND .. ", so there is nothing to compare the clock with"
      .. (drift and ("; ECS says it is at most %.1f ms off"):format(drift) or "")
  end
  local asked = ask(facts)
  local theirs = asked.answer and time_of(asked.answer.headers.date)
  if not theirs then
    return "off", "the backend does not say what time it is"
  end
  local off_s = asked.time - theirs
  local found = ("%.0f s apart from the backend's"):format(math.abs(off_s))
  if math.abs(off_s) > CLOCK_DRIFT_S then
    return "degraded", found, "mend the clock of this host, or of the backend"
  end
  return "ok", found
end

return {
  { name = "sock_diag", run = sock_diag },
  { name = "dns", run = dns, waits = true },
  { name = "tls", run = tls_check, waits = true },
  { name = "clock", run = clock, waits = true },
}

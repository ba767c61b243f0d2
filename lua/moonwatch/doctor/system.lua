--- Checks of the kernel and of what it lets us do.
local proc = require "moonwatch.doctor.proc"

--- linux/capability.h
local CAP_SYS_PTRACE <const> = 19
local CAP_SYS_ADMIN <const> = 21
local CAP_SYSLOG <const> = 34

local ADD_PTRACE <const> = "add SYS_PTRACE to linuxParameters.capabilities.add of this container (Docker: --cap-add SYS_PTRACE)"

local function has(set, capability)
  return tonumber(set, 16) >> capability & 1 == 1
end

local function kernel()
  local release = proc.read "/proc/sys/kernel/osrelease"
  if not release then
    return "degraded", "/proc/sys cannot be read", "mount /proc in this container"
  end
  local major, minor = release:match "^(%d+)%.(%d+)"
  local version = tonumber(major) * 1000 + tonumber(minor)
  if version < 4014 then
    return "failed", ("Linux %s"):format(release), "run on Linux 4.14 or later"
  end
  return "ok", ("Linux %s"):format(release)
end

local function cgroup()
  local text = proc.read "/proc/self/cgroup"
  if not text then
    return "degraded", "/proc/self/cgroup cannot be read", "mount /proc in this container"
  end
  local version = text:match "^0::" and not text:match "\n%d+:[^:]+:" and 2 or 1
  return "ok", ("version %d: %s"):format(version, text:match "[^:]*$")
end

local function security_modules()
  local list = proc.read "/sys/kernel/security/lsm"
  local own = proc.read "/proc/self/attr/current"
  local found = {}
  if list then
    found[#found + 1] = list
  end
  if own and own ~= "" then
    found[#found + 1] = "this process is " .. own:gsub("%z", "")
  end
  return "ok", found[1] and table.concat(found, "; ") or "none that can be seen from here"
end

local function capabilities(facts)
  local effective, bounding = proc.status "CapEff", proc.status "CapBnd"
  if not effective then
    return "degraded", "/proc/self/status cannot be read", "mount /proc in this container"
  end
  local names = {}
  for name, capability in pairs { SYS_PTRACE = CAP_SYS_PTRACE, SYS_ADMIN = CAP_SYS_ADMIN, SYSLOG = CAP_SYSLOG } do
    if has(effective, capability) then
      names[#names + 1] = name
    end
  end
  table.sort(names)
  local found = ("user %d; of those that matter: %s"):format(facts.euid, names[1] and table.concat(names, ", ") or "none")
  if has(effective, CAP_SYS_PTRACE) then
    return "ok", found
  end
  if has(bounding, CAP_SYS_PTRACE) then
    return "degraded", found .. "; SYS_PTRACE was added, but this user does not get it: processes of other users "
      .. "cannot be traced", "run the container as root, or leave it so: processes of the same user are traced"
  end
  return "degraded", found .. "; only what this container's own entrypoint starts is traced, and exec sessions are not",
    ADD_PTRACE
end

local function yama()
  local scope = proc.number "/proc/sys/kernel/yama/ptrace_scope"
  if not scope then
    return "ok", "Yama is not there"
  end
  local says = { [0] = "any process of the same user", "descendants only", "with SYS_PTRACE only", "nobody" }
  local found = ("ptrace_scope %d: may trace %s"):format(scope, says[scope] or "what this kernel's Yama lets")
  if scope == 3 then
    return "failed", found, "set kernel.yama.ptrace_scope below 3 on the host, or use --engine=poll"
  end
  return "ok", found
end

local function ptrace(facts)
  if facts.ptrace_child == 0 and facts.ptrace_other == 0 then
    return "ok", "children and other processes can be traced (tried)"
  end
  if facts.ptrace_child == 0 then
    return "degraded", ("children can be traced, others cannot (%s): what is born elsewhere, as in exec sessions, is not seen")
      :format(facts.ptrace_other_error), ADD_PTRACE
  end
  return "failed", ("PTRACE_SEIZE of a child: %s; processes are sampled by --engine=poll"):format(facts.ptrace_child_error),
    facts.ptrace_child == 1 and ADD_PTRACE or "use a seccomp profile that allows ptrace (Docker's does from Linux 4.8 on)"
end

local function notify(facts)
  if facts.notify == 0 then
    return "ok", "works (tried); --engine=notify can be chosen"
  end
  local is_wanted = facts.flags.engine == "notify"
  return is_wanted and "failed" or "off", ("--engine=notify does not work here: %s"):format(facts.notify_error),
    is_wanted and "choose --engine=ptrace" or nil
end

local function proc_visibility()
  local options = ""
  for line in (proc.read "/proc/self/mounts" or ""):gmatch "[^\n]+" do
    local point, kind, given = line:match "^%S+ (%S+) (%S+) (%S+)"
    if point == "/proc" and kind == "proc" then
      options = given
    end
  end
  if not proc.read "/proc/self/stat" then
    return "failed", "/proc is not there", "mount proc on /proc in this container"
  end
  local hidepid = options:match "hidepid=(%w+)"
  if hidepid and hidepid ~= "0" and hidepid ~= "off" and not proc.read "/proc/1/stat" then
    return "degraded", ("hidepid=%s hides processes of other users"):format(hidepid), "mount /proc without hidepid"
  end
  return "ok", "all processes of the PID namespace can be seen"
end

local function limits()
  local text = proc.read "/proc/self/limits"
  local soft, hard = (text or ""):match "Max open files%s+(%S+)%s+(%S+)"
  if not soft then
    return "degraded", "/proc/self/limits cannot be read", "mount /proc in this container"
  end
  local found = ("open files %s, at most %s"):format(soft, hard)
  if hard ~= "unlimited" and tonumber(hard) < 256 then
    return "degraded", found, "raise the ulimit nofile of this container to 1024 or more"
  end
  return "ok", found
end

return {
  { name = "kernel", run = kernel },
  { name = "cgroup", run = cgroup },
  { name = "security modules", run = security_modules },
  { name = "capabilities", run = capabilities },
  { name = "yama", run = yama },
  { name = "ptrace", run = ptrace },
  { name = "seccomp notify", run = notify },
  { name = "proc", run = proc_visibility },
  { name = "limits", run = limits },
}

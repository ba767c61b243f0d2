--- Rules of the shapes that Falco's and Sigma's have, made from tables: each of a few dozen shapes with several values.
local M = {}

local programs = { "nc", "curl", "nmap", "socat", "tcpdump", "gdb", "xmrig", "kubectl" }
local paths = { "/etc/passwd", "/etc/shadow", "/etc/sudoers", "/root/.ssh/id_rsa", "/var/log/auth.log", "/usr/bin/ls" }
local folders = { "/etc", "/bin", "/root/.ssh", "/var/log", "/dev/shm" }
local ports = { 22, 4444, 6667, 3333, 8443 }

--- What a shape becomes ("converted", "partly", "refused"), its condition with %s, the values.
local falco_shapes = {
  { "converted", "spawned_process and container and proc.name = %s", programs },
  { "converted", "spawned_process and proc.name in (%s, shell_binaries) and not proc.pname in (cron, systemd)", programs },
  { "converted", "evt.type in (execve, execveat) and evt.dir=< and proc.cmdline contains \"%s -l\"", programs },
  { "converted", "spawned_process and proc.exepath endswith /%s and proc.tty != 0", programs },
  { "converted", "spawned_process and (proc.cmdline startswith \"%s \" or proc.cmdline glob \"*/%1$s *\")", programs },
  { "converted", "spawned_process and proc.aname = %s and proc.name in (my_tools)", programs },
  { "converted", "spawned_process and proc.aname[2] = %s and user.uid = 0", programs },
  { "converted", "spawned_process and proc.name = %s and proc.is_exe_upper_layer = true and user.name != root", programs },
  { "converted", "spawned_process and proc.cmdline regex \".*%s\\\\s+-[el].*\"", programs },
  { "converted", "spawned_process and proc.name = %s and container.image.repository in (busybox, alpine)", programs },
  { "converted", "spawned_process and proc.args startswith \"-e\" and proc.name = %s", programs },
  { "converted", "spawned_process and proc.name = %s and not my_exceptions", programs },
  { "converted", "spawned_process and proc.cmdline icontains \"%s\"", programs },
  { "converted", "spawned_process and proc.env[LD_PRELOAD] contains /tmp and proc.name = %s", programs },
  { "partly", "spawned_process and (proc.name = %s or k8s.ns.name = secret)", programs },
  { "partly", "spawned_process and (proc.name = %s or proc.cmdline bcontains cafe)", programs },
  { "partly", "(spawned_process and proc.name = %s) or thread.cap_effective contains CAP_SYS_ADMIN", programs },
  { "refused", "spawned_process and proc.name = %s and k8s.pod.name startswith web", programs },
  { "refused", "spawned_process and proc.name = %s and not ka.user.name = admin", programs },
  { "refused", "proc.name = %s", programs },
  { "refused", "spawned_process and (proc.name = %s", programs },
  { "refused", "spawned_process and proc.name == %s and undefined_macro", programs },
  { "refused", "evt.type = bpf_prog and proc.name = %s", programs },
  { "converted", "open_write and fd.name = %s", paths },
  { "converted", "open_read and fd.name in (%s, /etc/gshadow) and not proc.name in (sshd, login, passwd)", paths },
  { "converted", "evt.type in (open, openat, openat2) and fd.name = %s and evt.failed = true", paths },
  { "converted", "evt.type in (unlink, unlinkat) and fs.path.name = %s", paths },
  { "converted", "rename and (fs.path.source = %s or fs.path.target = %1$s)", paths },
  { "converted", "chmod and fd.name = %s and evt.res = SUCCESS", paths },
  { "converted", "open_write and fd.name pmatch (%s)", folders },
  { "converted", "open_write and fd.directory in (%s, /usr/sbin)", folders },
  { "converted", "open_write and fd.name startswith %s/ and fd.filename = evil.so", folders },
  { "converted", "(open_write or rename or remove) and fd.name startswith %s/", folders },
  { "refused", "open_write and evt.arg.flags contains O_TRUNC and fd.name startswith %s", folders },
  { "converted", "evt.type = connect and fd.sport = %d", ports },
  { "converted", "outbound and fd.sport in (%d, 9001) and fd.l4proto = tcp", ports },
  { "converted", "outbound and fd.snet in (10.0.0.0/8, 192.168.0.0/16) and fd.sport = %d", ports },
  { "converted", "evt.type = listen and fd.lport >= %d", ports },
  { "partly", "outbound and (fd.sport = %d or fd.sip.name = pool.example)", ports },
  { "refused", "outbound and fd.sport = %d and fd.sip.name in (pool.example)", ports },
}

local priorities = { "CRITICAL", "ERROR", "WARNING", "NOTICE", "INFORMATIONAL" }

local head = [[
- list: my_tools
  items: [id, whoami]
- list: my_tools
  items: [uname]
  override: {items: append}
- macro: my_exceptions
  condition: (proc.pname = backup or user.name = backup)
]]

--- The text of a file of Falco's, and what becomes of its rules.
---@return string text, table<string, integer> expected
function M.falco()
  local out, expected = { head }, { converted = 0, partly = 0, refused = 0 }
  local n = 0
  for i, shape in ipairs(falco_shapes) do
    for _, value in ipairs(shape[3]) do
      n = n + 1
      expected[shape[1]] = expected[shape[1]] + 1
      local condition = shape[2]:gsub("%%1%$s", tostring(value)):gsub("%%[sd]", tostring(value))
      out[#out + 1] = ("- rule: Shape %d of %s\n  desc: A rule of that shape\n  condition: >\n    %s\n" ..
        "  output: \"seen (user=%%user.name)\"\n  priority: %s\n  tags: [container, mitre_execution, T1059.004]\n"):format(i,
        value, condition:gsub(" and ", "\n    and ", 1), priorities[n % #priorities + 1])
    end
  end
  return table.concat(out), expected
end

local sigma_shapes = {
  { "converted", "process_creation", "selection: {Image|endswith: '/%s'}\n  condition: selection", programs },
  { "converted", "process_creation", "selection: {Image|endswith: '/%s', CommandLine|contains|all: ['http', ' -o']}\n" ..
    "  filter: {ParentImage|endswith: ['/apt', '/dpkg']}\n  condition: selection and not filter", programs },
  { "converted", "process_creation", "sel_a: {Image|endswith: '/%s'}\n  sel_b: {CommandLine|contains: ['-e', '-c']}\n" ..
    "  condition: all of sel_*", programs },
  { "converted", "process_creation", "a: {Image: '*/%s'}\n  b: {CommandLine: '*stratum?tcp*'}\n  condition: 1 of them", programs },
  { "converted", "process_creation", "selection:\n    - Image|endswith: '/%s'\n    - CommandLine|startswith: '%s '\n" ..
    "  condition: selection", programs },
  { "converted", "process_creation", "selection: {CommandLine|re: '%s\\s+-[a-z]*e'}\n  condition: selection", programs },
  { "converted", "process_creation", "selection: {Image|endswith|cased: '/%s', User: 'www-data'}\n  condition: selection",
    programs },
  { "partly", "process_creation", "a: {Image|endswith: '/%s'}\n  b: {LogonId: '0x3e7'}\n  condition: a or b", programs },
  { "partly", "process_creation", "a: {Image|endswith: '/%s'}\n  b: {CommandLine|base64offset|contains: 'x'}\n" ..
    "  condition: a or b", programs },
  { "refused", "process_creation", "a: {Image|endswith: '/%s'}\n  b: {IntegrityLevel: 'High'}\n  condition: a and b", programs },
  { "refused", "process_creation", "selection: {Image|endswith: '/%s'}\n  condition: selection | count() by User > 5", programs },
  { "refused", "process_creation", "keywords: ['%s']\n  condition: keywords", programs },
  { "refused", "auditd", "selection: {type: EXECVE, a0: '%s'}\n  condition: selection", programs },
  { "converted", "file_event", "selection: {TargetFilename: '%s'}\n  condition: selection", paths },
  { "converted", "file_event", "selection: {TargetFilename|startswith: '%s'}\n  filter: {Image|endswith: '/dpkg'}\n" ..
    "  condition: selection and not filter", folders },
  { "converted", "file_delete", "selection: {TargetFilename|contains: '%s'}\n  condition: selection", paths },
  { "converted", "network_connection", "selection: {DestinationPort: %d, Image|endswith: '/bash'}\n  condition: selection",
    ports },
  { "converted", "network_connection", "selection: {DestinationIp|cidr: ['10.0.0.0/8', '169.254.0.0/16'], DestinationPort: %d}\n" ..
    "  condition: selection", ports },
  { "refused", "network_connection", "selection: {DestinationHostname|endswith: '.example', DestinationPort: %d}\n" ..
    "  condition: selection", ports },
}

local levels = { "informational", "low", "medium", "high", "critical" }

---@return string text, table<string, integer> expected
function M.sigma()
  local out, expected = {}, { converted = 0, partly = 0, refused = 0 }
  local n = 0
  for i, shape in ipairs(sigma_shapes) do
    for _, value in ipairs(shape[4]) do
      n = n + 1
      expected[shape[1]] = expected[shape[1]] + 1
      local source = shape[2] == "auditd" and "service: auditd" or "category: " .. shape[2]
      out[#out + 1] = ("title: Shape %d Of %s\nid: 00000000-0000-4000-8000-%012d\nstatus: test\ndescription: A rule of that shape\n" ..
        "logsource:\n  product: linux\n  %s\ndetection:\n  %s\nfalsepositives: ['Administrators']\nlevel: %s\n" ..
        "tags: [attack.execution, attack.t1059.004]\n"):format(i, value, n, source, shape[3]:gsub("%%[sd]", tostring(value)),
        levels[n % #levels + 1])
    end
  end
  return table.concat(out, "---\n"), expected
end

return M

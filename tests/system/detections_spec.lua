-- Detections on real acts: each is done in a namespace of its own, where folders of the system are copies, and gives the alerts named
-- and no others; and ordinary work gives none above medium.
local acts_of = require("tests.system.acts").of
local support = require "tests.system.support"

local run, moonwatch = support.run, support.moonwatch

local has_mounts = run("unshare -mpf --mount-proc sh -c 'mount -t tmpfs x /mnt && mount --bind /mnt /opt'").code == 0

--- What stands for folders of the system.
local PREPARE = [[
set -e
t=$(mktemp -d)
mount -t tmpfs tmpfs "$t"
cp -a /etc "$t/etc"
mkdir "$t/root" "$t/log" "$t/opt" "$t/bin"
mount --bind "$t/etc" /etc
mount --bind "$t/root" /root
mount --bind "$t/log" /var/log
mount --bind "$t/opt" /opt
mount --bind "$t/bin" /usr/local/bin
mkdir -p /root/.ssh /opt/moonwatch/rules /etc/sudoers.d
touch /var/log/auth.log /root/.bashrc
echo key >/root/.ssh/id_rsa
PATH=/usr/sbin:/usr/bin:/sbin:/bin
set +e
]]

--- Ids of the rules that gave alerts while `act` was done by a shell, some time after the start; as a set.
local function alerts_of(act)
  local script, state, out = support.new_path(), support.new_path(), support.new_path()
  local inner = support.new_path()
  support.write(inner, act .. "\ntrue\n")
  local outer = support.new_path()
  -- In the beginning much is allowed; and what was done by inotify alone is told a little later.
  support.write(outer, ("sleep 0.3\nsh %s >/dev/null 2>&1\nsleep 0.3\n"):format(inner))
  local binary = moonwatch:find "^/" and moonwatch or os.getenv "PWD" .. "/" .. moonwatch
  support.write(script, PREPARE .. ("exec %s run --state_dir=%s --attention_startup_ms=100 --outputs=alerts/json:file=%s -- sh %s\n")
    :format(binary, state, out, outer))
  local result = run("timeout -s KILL 60 unshare -mpf --mount-proc --kill-child sh " .. script)
  assert(result.code == 0, result.err)
  local found, severities = {}, {}
  for _, alert in ipairs(support.json_lines(out)) do
    found[alert.rule.id] = true
    severities[alert.rule.id] = alert.rule.severity
  end
  return found, severities
end

local PYTHON = "/usr/bin/python3 -c "

-- Alerts that an act gives beside its own stand behind it.
local acts = {
  { "write_bin_dirs", "echo x >/usr/local/bin/evil" },
  { "write_lib_loader", "echo x >/etc/ld.so.conf.d/evil.conf" },
  { "sudoers", "echo x >/etc/sudoers.d/evil" },
  { "systemd_init", "mkdir -p /etc/systemd/system; echo x >/etc/systemd/system/evil.service" },
  { "shell_profile", "echo x >>/root/.bashrc" },
  { "log_clear", "rm -f /var/log/auth.log" },
  { "read_environ", "cat </proc/1/environ" },
  { "release_agent", "echo x >/tmp/release_agent; rm /tmp/release_agent" },
  { "core_pattern", "cat </dev/null >>/proc/sys/kernel/core_pattern" },
  { "proc_mem", PYTHON .. [['import os; open("/proc/%d/mem" % os.getppid(), "rb")']] },
  { "anti_debug", PYTHON .. "'import ctypes; ctypes.CDLL(None).ptrace(0, 0, 0, 0)'" },
  { "dropped_binary", PYTHON .. [['import os; open("/tmp/evil", "w"); os.chmod("/tmp/evil", 0o755); os.remove("/tmp/evil")']] },
  { "ld_preload_env", "LD_PRELOAD=/tmp/none.so /bin/true" },
  { "mount", "mount -t tmpfs x /mnt" },
  { "unshare", "unshare -U true" },
  { "sensor_tamper", "echo x >/opt/moonwatch/rules/x.lua" },
  { "search_secrets", "grep -r aws_secret_access_key /opt" },
  { "history_clear", "sh -c 'unset HISTFILE'" },
  { "account_change", "sh -c 'useradd nobody-else'", "account_file", "write_etc" },
  { "memfd_exec", PYTHON .. [['import os; f = os.memfd_create("x"); os.write(f, open("/bin/true", "rb").read()); ]]
    .. [[os.execve("/proc/self/fd/%d" % f, ["x"], {})']], "exec_dropped", "exec_fileless" },
}

describe("the detection", function()
  for _, act in ipairs(acts) do
    it(act[1] .. " finds the act, and nothing else does", function()
      if not has_mounts then
        pending "no mounts here (a container without CAP_SYS_ADMIN?)"
        return
      end
      local found = alerts_of(act[2])
      local wanted = { [act[1]] = true }
      for i = 3, #act do
        wanted[act[i]] = found[act[i]] -- may be
      end
      assert.are.same(wanted, found)
    end)
  end
end)

describe("every shipped rule", function()
  --- Tactics that have no acts of their own yet: theirs are those above.
  local waiting = { defense_evasion = true, persistence = true, privilege_escalation = true }

  for tactic in run("ls rules").out:gmatch "[^\n]+" do
    it("of " .. tactic .. " is performed, or it is said why it cannot be", function()
      if waiting[tactic] then
        pending "acts of this tactic are not written yet"
        return
      end
      assert.is_truthy(run(("test -e tests/system/detections_%s_spec.lua"):format(tactic)).code == 0, "nobody does its acts")
      local theirs = acts_of(tactic)
      local named, shipped = {}, {}
      for _, act in ipairs(theirs) do
        named[act[1]] = true
      end
      for id, reason in pairs(theirs.excused or {}) do
        assert.is_nil(named[id], id .. " is performed, and excused")
        assert.matches("%a+ %a+", reason)
        named[id] = true
      end
      for id in run("ls rules/" .. tactic).out:gmatch "([^\n]+)%.lua" do
        shipped[id] = true
      end
      assert.are.same(shipped, named)
    end)
  end
end)

describe("ordinary work", function()
  it("gives nothing above medium", function()
    if not has_mounts then
      pending "no mounts here (a container without CAP_SYS_ADMIN?)"
      return
    end
    local _, severities = alerts_of [[
sh -c 'wget -q --spider http://127.0.0.1:9/ || exit 1'
sh -c 'curl -fs http://127.0.0.1:9/ || exit 1'
dpkg -l; dpkg-query -W; apt-get --version
/usr/bin/python3 -c 'import ssl, json, urllib.request'
node -e 'require("fs").readFileSync("/proc/self/cgroup")'
cat /proc/meminfo /etc/os-release /etc/passwd /etc/resolv.conf
ps aux; df; id; date; ls -la /; env
sed -e s/a/b/ /etc/hosts >/tmp/hosts.new; rm /tmp/hosts.new
echo aGVsbG8= | base64 -d
logrotate --version; crontab -l; java -version
tar -cf /tmp/x.tar -C /etc hosts; rm /tmp/x.tar
]]
    for id, severity in pairs(severities) do
      assert.is_true(severity == "info" or severity == "low" or severity == "medium", id .. " is " .. severity)
    end
  end)
end)

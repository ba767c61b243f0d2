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

--- Severities of the rules, by id, that gave alerts while `act` was done by a shell, some time after the start.
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
  local severities = {}
  for _, alert in ipairs(support.json_lines(out)) do
    severities[alert.rule.id] = alert.rule.severity
  end
  return severities
end

describe("every shipped rule", function()
  for tactic in run("ls rules").out:gmatch "[^\n]+" do
    it("of " .. tactic .. " is performed, or it is said why it cannot be", function()
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
    local severities = alerts_of [[
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

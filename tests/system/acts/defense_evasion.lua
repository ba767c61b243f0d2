-- Not being seen.

local PYTHON <const> = "/usr/bin/python3 -c "

---@type system.Acts
return {
  prepare = [[
tool bpftool iptables nft ufw systemctl
mkdir -p /opt/moonwatch/rules /var/log/nginx /var/www
touch /var/log/auth.log /var/log/nginx/access.log /root/.bash_history
]],
  { "anti_debug", PYTHON .. "'import ctypes; ctypes.CDLL(None).ptrace(0, 0, 0, 0)'", says = "asked to be traced" },
  -- BPF_PROG_LOAD of nothing: the try is enough.
  { "bpf", PYTHON .. [['import ctypes, platform
call = {"x86_64": 321, "aarch64": 280}[platform.machine()]
ctypes.CDLL(None).syscall(call, 5, ctypes.create_string_buffer(120), 120)']], says = "uses bpf" },
  { "bpf", "bpftool prog list", how = "by its tool", says = "bpftool prog list uses bpf" },
  { "decode_payload", "echo aGVsbG8= | base64 -d", says = "decodes: base64 -d" },
  { "decode_payload", "echo 6869 | openssl enc -d -base64 -A", how = "by openssl", says = "decodes: openssl enc -d" },
  { "file_in_dev", "echo x >/dev/udev.cache", says = "made /dev/udev.cache" },
  { "firewall_off", "iptables -F", says = "ran iptables -F" },
  { "firewall_off", "nft flush ruleset", how = "by nft", says = "ran nft flush ruleset" },
  { "firewall_off", "ufw disable", how = "by ufw", says = "ran ufw disable" },
  { "firewall_off", "systemctl stop nftables", how = "as a service", says = "ran systemctl stop nftables" },
  { "hidden_file", "echo x >/tmp/.cache-x", says = "made /tmp/.cache-x" },
  { "history_clear", "sh -c 'unset HISTFILE; :'", says = "unset HISTFILE" },
  { "history_clear", "rm -f /root/.bash_history", how = "by its file", says = "rm -f /root/.bash_history" },
  { "known_rootkit_path", "cp /bin/true /srv/libprocesshider.so", says = "names: /srv/libprocesshider.so" },
  { "link_sensitive", "ln -s /etc/shadow /srv/notes", says = "linked /srv/notes to /etc/shadow" },
  { "log_clear", "rm -f /var/log/auth.log", says = "rm -f /var/log/auth.log clears a log" },
  { "log_clear", ": >/var/log/nginx/access.log", how = "by a shell", says = "clears a log" },
  { "masquerade_kthread", "bash -c 'exec -a \"[kworker/0:1]\" /bin/true'", says = "/usr/bin/true calls itself [kworker/0:1]" },
  { "odd_name", "cp /bin/true '/srv/report.pdf.elf'; /srv/report.pdf.elf", says = "/srv/report.pdf.elf", also = {
    exec_dropped = "it was put there after the start" } },
  { "self_delete", [[cp "$MW_BUILD/tests/programs/self" /srv/once; /srv/once]], says = "removed its own program /srv/once", also = {
    exec_dropped = "it was put there after the start" } },
  { "sensor_tamper", "echo x >/opt/moonwatch/rules/x.lua", says = "tampers with moonwatch" },
  { "sensor_tamper", [[/usr/bin/python3 -c 'import os, signal, sys
os.kill(int(sys.argv[1]), signal.SIGINT)' $(pgrep moonwatch-guard)]], how = "by a signal", says = "tampers with moonwatch", also = {
    stop_security_agent = "moonwatch is one" } },
  { "stop_security_agent", "systemctl stop falco", says = "systemctl stop falco" },
  { "stop_security_agent", "pkill -x osqueryd", how = "by its name", says = "pkill -x osqueryd" },
  { "timestomp", "touch -r /bin/true /var/www/index.html", says = "ran touch -r /bin/true /var/www/index.html" },
}

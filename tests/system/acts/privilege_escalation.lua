-- More rights, and out of the container.

local PYTHON <const> = "/usr/bin/python3 -c "

---@type system.Acts
return {
  prepare = [[
tool insmod sudo
mkdir /mnt/a /srv/cgroup
cp /bin/true /srv/suid
cp /bin/true /srv/rootkit
: >/etc/sudoers
mkdir -p /etc/sudoers.d
]],
  -- Opened as it is to write there, and nothing written.
  { "core_pattern", ": >>/proc/sys/kernel/core_pattern", says = "/proc/sys/kernel/core_pattern to write" },
  { "device_access", "mknod /dev/sdz b 8 400; : </dev/sdz", says = "opened /dev/sdz" },
  { "kernel_exploit_shape", "sudo -u#-1 id", says = "ran sudo -u#-1 id" },
  { "kernel_module", "insmod /srv/x.ko", says = "ran insmod /srv/x.ko" },
  { "mount", "mount -t tmpfs x /mnt/a", says = "mount -t tmpfs x /mnt/a mounts" },
  { "mount", PYTHON .. [['import ctypes; ctypes.CDLL(None).mount(b"x", b"/mnt/a", b"tmpfs", 0, None)']], how = "by the call",
    says = "mounts /mnt/a" },
  { "nsenter_chroot", "nsenter -t 1 -u true", says = "ran nsenter -t 1 -u true" },
  { "nsenter_chroot", "chroot /proc/1/root /bin/true", how = "of the first process's root", says = "ran chroot /proc/1/root" },
  { "proc_mem", PYTHON .. [['import os; open("/proc/%d/mem" % os.getppid(), "rb")']], says = "/mem" },
  { "proc_mem", "dd if=/proc/$$/mem of=/srv/dump bs=1 count=1", how = "by dd", says = "dd if=/proc/" },
  { "ptrace_inject", "sleep 100 & sleeper=$!; " .. PYTHON .. [['import ctypes, sys
ctypes.CDLL(None).ptrace(0x4206, int(sys.argv[1]), 0, 0)' $sleeper; kill $sleeper]], says = "traces" },
  { "ptrace_inject", "sleep 100 & sleeper=$!; timeout 1 strace -p $sleeper; kill $sleeper", how = "by strace", needs = "strace",
    says = "strace -p" },
  { "release_agent", "echo /srv/x >/srv/cgroup/release_agent", says = "writes /srv/cgroup/release_agent" },
  { "runtime_socket", [[/usr/bin/python3 -c 'import socket
s = socket.socket(socket.AF_UNIX); s.connect("/run/docker.sock")']], says = "talks to the container runtime",
    also = { interpreter_oneliner = "it is one" } },
  { "runtime_socket", "curl -s --unix-socket /run/docker.sock http://x/info", how = "by curl", says = "--unix-socket /run/docker.sock" },
  { "setns", PYTHON .. [['import ctypes, os; ctypes.CDLL(None).setns(os.open("/proc/1/ns/uts", os.O_RDONLY), 0)']],
    says = "enters a namespace" },
  { "setuid_bit", "chmod u+s /srv/suid", says = "ran chmod u+s /srv/suid" },
  { "setuid_bit", "setcap cap_setuid+ep /srv/suid", how = "by a capability", says = "ran setcap", needs = "setcap" },
  { "setuid_file", PYTHON .. [['import os; os.chmod("/srv/rootkit", 0o4755)']], says = "/srv/rootkit" },
  { "sudoers", "echo 'www-data ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/x", says = "/etc/sudoers.d/x was written" },
  { "unshare", "unshare -Ur true", says = "unshare -Ur true makes a namespace" },
  { "unshare", PYTHON .. "'import ctypes; ctypes.CDLL(None).unshare(0x10000000)'", how = "by the call", says = "makes a namespace" },
}

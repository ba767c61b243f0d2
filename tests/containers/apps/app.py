"""The application of the Python image; what it says is to be the same with the sensor and without."""
import os
import resource
import signal
import subprocess
import sys
import threading

print("argv", sys.argv)
print("pid", os.getpid(), "ppid", os.getppid(), "ids", os.getresuid(), os.getresgid(), os.getgroups())
print("cwd", os.getcwd(), "limits", [resource.getrlimit(n) for n in range(16)])
for name, value in os.environ.items():
    print("env", name, value)
for line in open("/proc/self/status"):
    if line.startswith(("SigP", "SigB", "SigI", "SigC", "Shd", "Cap", "NoNew", "Seccomp:")):
        print(line, end="")
for fd in range(10):
    if os.path.exists("/proc/self/fd/%d" % fd):
        print("fd", fd, os.readlink("/proc/self/fd/%d" % fd))
for mark in ["marked0", "marked1", "marked2"]:
    done = subprocess.run(["/bin/sh", "-c", "echo child $0 >&2; exit 3", mark])
    print("child", mark, done.returncode)
threads = [threading.Thread(target=subprocess.run, args=(["/bin/true", "thread%d" % n],)) for n in range(4)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
print("ready", flush=True)
print("signal", int(signal.sigwait({signal.SIGTERM})))
sys.exit(42)

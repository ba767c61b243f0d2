"""Start a command in a container as runc does: by a program that runs from a sealed copy of itself in memory.

usage: runtime.py PID COMMAND ARG…    PID: the container's first process
"""
import os
import shutil
import sys

with open(shutil.which("nsenter"), "rb") as program:
    copy = os.memfd_create("runc_cloned:/proc/self/exe")
    os.write(copy, program.read())
os.execve(copy, ["runc", "-t", sys.argv[1], "-m", "-p", "-r", "-w", "--", *sys.argv[2:]],
          {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"})

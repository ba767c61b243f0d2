#!/bin/sh
# The application of images with a shell: says what it can learn of itself, by the programs of the image, starts some, and serves
# until SIGTERM; ends with exit code 42.  What it says is to be the same with the sensor and without.
echo "argv $0 $*"
echo "pid $$ ppid $PPID umask $(umask) cwd $(pwd)"
id
env | sed 's/^/env /'
grep -E '^Max' /proc/self/limits
grep -E '^(Sig[PBIC]|Shd|Cap|NoNew|Seccomp:|Uid|Gid|Groups)' /proc/self/status
for fd in 0 1 2 3 4 5 6 7 8 9; do
	if [ -e /proc/$$/fd/$fd ]; then
		echo "fd $fd $(readlink /proc/$$/fd/$fd)"
	fi
done
[ -w /proc/sys/kernel/hostname ] && echo "/proc/sys can be written"
[ -w /tmp ] && echo "/tmp can be written"
for mark in marked0 marked1 marked2; do
	sh -c "echo child $mark >&2; exit 3" $mark
	echo "child $mark: $?"
done
trap 'echo signal 15; exit 42' TERM
echo ready
while :; do
	sleep 0.2 &
	wait $!
done

#!/bin/sh
# Starts an application under the sensor; where the sensor cannot run, without it, and says so: the application comes first.
# For images with a shell.  bin/entrypoint is the program itself and needs none, but cannot do without itself either.
#
# usage: entrypoint.sh [flags of moonwatch run] [--] COMMAND [ARGUMENT…]

case $0 in
*/*) sensor=${0%/*}/moonwatch ;;
*) sensor=/opt/moonwatch/bin/moonwatch ;;
esac

# Shells tell their children of these; the application is to have the environment that the container was given.
unset PWD OLDPWD SHLVL

# Not readable, another processor, a library that is missing: all that shows by asking it something.
if "$sensor" version >/dev/null 2>&1; then
	exec "$sensor" run "$@"
fi

if [ ! -e "$sensor" ]; then
	why="is not there (is the volume mounted, and filled?)"
else
	why="does not start (has it its execute permission, is its volume mounted noexec, is it for this processor?)"
fi
echo "moonwatch: $sensor $why: it cannot run here; the application starts without the sensor" >&2
while [ $# -gt 0 ]; do
	case $1 in
	--)
		shift
		break
		;;
	-*) shift ;;
	*) break ;;
	esac
done
if [ $# -eq 0 ]; then
	echo "moonwatch: entrypoint.sh: no command to run" >&2
	exit 2
fi
exec "$@"

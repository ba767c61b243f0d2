#!/bin/sh
# What start-up and maintenance scripts do: small programs, pipes, substitutions.
#
# usage: script.sh COUNT
set -eu
i=0
while [ "$i" -lt "$1" ]; do
	name=$(basename "/usr/share/doc/file-$i.txt" .txt)
	kind=$(printf '%s\n' "$name" alpha beta gamma | grep -v "$name" | sort -r | head -n 1)
	total=$(printf '%s %s\n' "$i" "$kind" | sed 's/gamma/1/' | awk '{ print $1 + $2 }')
	[ "$total" -eq $((i + 1)) ]
	test -e /etc/passwd && grep -c root /etc/passwd >/dev/null
	i=$((i + 1))
done

#!/bin/sh
# As that of the image: prepares, then becomes the command.
set -e
echo "$0: ready for start up" >&2
exec "$@"

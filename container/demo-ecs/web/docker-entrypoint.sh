#!/bin/sh
# What such scripts do: look at the configuration, and become what they were told to run.
set -e
nginx -t -q
exec "$@"

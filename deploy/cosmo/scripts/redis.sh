#!/bin/sh
# Redis with a password that is neither an argument nor in a file: it reads its configuration from standard input.
set -eu
exec docker-entrypoint.sh redis-server - <<END
dir /data
appendonly yes
maxmemory 100mb
maxmemory-policy noeviction
requirepass $REDIS_PASSWORD
END

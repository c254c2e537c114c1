#!/usr/bin/env bash
# Builds compose-config of this folder over compose-go, the library of Docker Compose: under a minute, once.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/../stores/place.sh"
find_place compose-config compose-config "$(cat "$here"/compose/* | sha256sum | cut -c1-16)"
PATH=$PATH:/usr/local/go/bin
if ! command -v go >/dev/null; then
  printf 'install-compose-config: there is no Go here to build it with (https://go.dev/dl/)\n' >&2
  exit 1
fi
make_draft
(cd "$here/compose" && CGO_ENABLED=0 GOMAXPROCS=${GOMAXPROCS:-2} nice -n 10 \
  go build -trimpath -buildvcs=false -ldflags '-s -w' -o "$draft/compose-config" .)
put_program "$draft/compose-config"

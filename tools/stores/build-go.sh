#!/usr/bin/env bash
# Builds one Go program at a pinned version into node_modules/.cache/stores/<name>/<name>, once: build-go.sh <name> <package> <version> [go flags]
# Takes minutes, at low priority. Needs Go (from PATH or /usr/local/go/bin) and its module proxy.
set -euo pipefail
name=$1 package=$2 version=$3
shift 3
. "$(dirname "${BASH_SOURCE[0]}")/place.sh"
find_place "$name" "$name" "$version"
PATH=$PATH:/usr/local/go/bin
if ! command -v go >/dev/null; then
  printf 'install-%s: there is no Go here to build it with (https://go.dev/dl/)\n' "$name" >&2
  exit 1
fi
make_draft
GOBIN=$draft GOMAXPROCS=${GOMAXPROCS:-2} CGO_ENABLED=0 nice -n 10 go install -trimpath -ldflags '-s -w' "$@" "$package@$version"
put_program "$draft/$name"

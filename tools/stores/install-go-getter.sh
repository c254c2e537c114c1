#!/usr/bin/env bash
# go-getter, the library with which Nomad fetches artifacts, as a command: the judge of /objects. About five minutes.
set -euo pipefail
exec "$(dirname "${BASH_SOURCE[0]}")/build-go.sh" go-getter github.com/hashicorp/go-getter/cmd/go-getter v1.8.10

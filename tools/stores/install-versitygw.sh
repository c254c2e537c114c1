#!/usr/bin/env bash
# Versity S3 Gateway, an S3 server over a directory: about four minutes.
set -euo pipefail
exec "$(dirname "${BASH_SOURCE[0]}")/build-go.sh" versitygw github.com/versity/versitygw/cmd/versitygw v1.8.0

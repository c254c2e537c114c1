#!/usr/bin/env bash
# MinIO, from its last source: about four minutes.
set -euo pipefail
exec "$(dirname "${BASH_SOURCE[0]}")/build-go.sh" minio github.com/minio/minio v0.0.0-20260212201848-7aac2a2c5b7c -tags kqueue

#!/usr/bin/env bash
# MinIO's client, from its last source that can be built so: about two minutes. deploy/compose prepares a bucket with it.
set -euo pipefail
exec "$(dirname "${BASH_SOURCE[0]}")/build-go.sh" mc github.com/minio/mc v0.0.0-20250313080218-cf909e1063a9

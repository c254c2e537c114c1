#!/usr/bin/env bash
# rclone with `serve s3`, which the builds of Debian lack: about five minutes.
set -euo pipefail
exec "$(dirname "${BASH_SOURCE[0]}")/build-go.sh" rclone github.com/rclone/rclone v1.76.0

#!/usr/bin/env bash
# Helm, from its source: about ten minutes, once.
set -euo pipefail
exec "$(dirname "${BASH_SOURCE[0]}")/../stores/build-go.sh" helm helm.sh/helm/v4/cmd/helm v4.3.1

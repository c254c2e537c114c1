#!/usr/bin/env bash
# The formatter of HashiCorp's configuration language, which also says what cannot be parsed: under a minute.
set -euo pipefail
exec "$(dirname "${BASH_SOURCE[0]}")/../stores/build-go.sh" hclfmt github.com/hashicorp/hcl/v2/cmd/hclfmt v2.25.0

#!/usr/bin/env bash
# What holds of a platform's store and of the files that deploy it, from a fresh clone, each by one command:
#   tools/baseline.sh smoke    smoke on a real MinIO, and what it says once that is stopped
#   tools/baseline.sh switch   the same on a real SeaweedFS, after the endpoint alone has changed
#   tools/baseline.sh render   secrets brought in and rendered twice by a real OpenBao: the same bytes, and no leak
#   tools/baseline.sh lint     the image and what deploys it, by their fields' own judges; `lint helm` has Helm, too
# What each needs is built or fetched into the clone, at pinned versions: minutes the first time. It needs no root.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

prove() { npm exec --offline -- node --test --test-reporter=spec --test-timeout=600000 "$@"; }

[ -d node_modules/typescript ] || npm ci --no-audit --no-fund
case "${1:-} ${2:-}" in
  'smoke ')
    tools/stores/install-minio.sh
    ARTIFACTSTORE_TEST_STORES_REQUIRED=minio prove test/stores/smoke.stores.ts
    ;;
  'switch ')
    tools/stores/install-minio.sh
    tools/stores/install-seaweedfs.sh
    ARTIFACTSTORE_TEST_STORES_REQUIRED=minio,seaweedfs prove test/stores/smoke-switched.stores.ts
    ;;
  'render ')
    tools/stores/install-openbao.sh
    ARTIFACTSTORE_TEST_STORES_REQUIRED=openbao prove test/deploy/cosmo/vault.stores.ts
    ;;
  'lint ' | 'lint helm')
    for judge in linters compose-config hclfmt ${2:-}; do tools/lint/install-"$judge".sh; done
    prove test/deploy/lint.heavy.ts
    ;;
  *)
    sed -n '2,7s/^# \{0,1\}//p' tools/baseline.sh
    exit 2
    ;;
esac

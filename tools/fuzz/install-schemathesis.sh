#!/usr/bin/env bash
# Installs schemathesis, which test/doors/rest/schemathesis.heavy.ts runs, in a folder of this clone: node_modules/.cache/schemathesis.
# Every package is pinned with its digests in requirements.txt. Does nothing where that folder is of these pins already.
#
# requirements.txt is made of requirements.in by: uv pip compile --universal --python-version 3.11 --generate-hashes --no-annotate --no-header
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
requirements=$here/requirements.txt
target=$here/../../node_modules/.cache/schemathesis
stamp=$target/installed-requirements.txt

if cmp -s "$requirements" "$stamp" && "$target/bin/schemathesis" --version 2>/dev/null; then
  exit 0
fi

find_python() {
  local candidate
  for candidate in "${ARTIFACTSTORE_TEST_PYTHON:-python3}" python3.14 python3.13 python3.12 python3.11; do
    if "$candidate" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
      printf '%s' "$candidate"
      return
    fi
  done
  return 1
}

# Debian has the module in a package of its own.
if ! python=$(find_python) && [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null; then
  DEBIAN_FRONTEND=noninteractive apt-get update -q
  DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends python3-venv
  python=$(find_python) || true
fi
if [ -z "$python" ]; then
  printf 'install-schemathesis: this needs Python 3.11 or later with its venv module. On Debian: apt-get install python3-venv\n' >&2
  exit 1
fi

# Its stamp comes last, so that one that was broken off is made again, and nothing of it is left to be run meanwhile.
rm -rf "$target"
mkdir -p "$(dirname "$target")"
trap 'rm -rf "$target"' EXIT
"$python" -m venv "$target"
"$target/bin/python" -m pip install --quiet --disable-pip-version-check --no-input --require-hashes --only-binary :all: \
  --requirement "$requirements"
"$target/bin/schemathesis" --version
cp "$requirements" "$stamp"
trap - EXIT

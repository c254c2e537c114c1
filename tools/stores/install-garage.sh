#!/usr/bin/env bash
# Garage, from its crates, not optimised: about six minutes, at low priority. Needs Cargo (https://rustup.rs) and a C compiler.
set -euo pipefail
version=2.5.0
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
target=$root/node_modules/.cache/stores/garage

if [ -x "$target/garage" ] && [ "$(cat "$target/VERSION" 2>/dev/null)" = "$version" ]; then
  printf '%s\n' "$target/garage"
  exit 0
fi
if ! command -v cargo >/dev/null; then
  printf 'install-garage: there is no Cargo here to build it with\n' >&2
  exit 1
fi
mkdir -p "$target"
draft=$(mktemp -d "$target/draft.XXXXXX")
trap 'rm -rf "$draft"' EXIT
CARGO_TARGET_DIR=$draft/target CARGO_PROFILE_DEV_DEBUG=0 nice -n 10 cargo install garage --version "$version" --locked --profile dev --root "$draft"
mv "$draft/bin/garage" "$target/garage"
printf '%s\n' "$version" >"$target/VERSION"
printf '%s\n' "$target/garage"

#!/usr/bin/env bash
# Garage, from its crates, not optimised, with SQLite and nothing else that may be left out: minutes, at low priority.
# Enough to see what it answers, not how fast. Needs Cargo (https://rustup.rs) and a C compiler.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/place.sh"
find_place garage garage 2.5.0
if ! command -v cargo >/dev/null; then
  printf 'install-garage: there is no Cargo here to build it with\n' >&2
  exit 1
fi
make_draft
CARGO_TARGET_DIR=$draft/target CARGO_PROFILE_DEV_DEBUG=0 CARGO_INCREMENTAL=0 nice -n 10 cargo install garage --version "$version" \
  --locked --profile dev --no-default-features --features bundled-libs,sqlite --root "$draft"
put_program "$draft/bin/garage"

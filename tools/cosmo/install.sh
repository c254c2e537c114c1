#!/usr/bin/env bash
# Cosmo's own code that speaks to the store, at a pinned commit, into node_modules/.cache/cosmo/, once: the class of the
# controlplane, and the cdn. A megabyte from GitHub, and 120 MB of packages from npm: a minute. Nothing of it is part of
# this project.
#   COSMO_REPOSITORY   a folder with a clone of github.com/wundergraph/cosmo, or another address of it
set -euo pipefail
commit=6e0a147f4d2ec387cddc06b45b97814b940fe40b
repository=${COSMO_REPOSITORY:-https://github.com/wundergraph/cosmo}
target=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)/node_modules/.cache/cosmo
# Images since 25 February 2026 have the first, those before the second.
generations=(3.996.0 3.529.1)
stamp="$commit ${generations[*]} 1"
if [ "$(cat "$target/VERSION" 2>/dev/null)" = "$stamp" ]; then exit 0; fi

rm -rf "$target"
mkdir -p "$target"
if [ -d "$repository" ]; then
  source=$(git -C "$repository" rev-parse --absolute-git-dir)
else
  # The names of its files alone, some hundred kilobytes: the few contents that are wanted come as they are asked for.
  source=$target/git
  git init --quiet --bare "$source"
  git --git-dir="$source" remote add origin "$repository"
  git --git-dir="$source" fetch --quiet --depth 1 --no-tags --filter=blob:none origin "$commit" || {
    printf 'install-cosmo: %s gives no commit %s; COSMO_REPOSITORY=DIR takes a clone of yours\n' "$repository" "$commit" >&2
    exit 1
  }
fi
# What both generations share. The decorator of the class is a wrapper of Sentry, which is not set up here and passes on.
cat >"$target/package.json" <<END
{
  "name": "cosmo-tried", "private": true,
  "dependencies": {
    "@hono/node-server": "1.19.13", "@sentry/node": "10.19.0", "dotenv": "16.6.0", "hono": "4.12.25", "jose": "5.2.4", "tsx": "4.16.0"
  }
}
END
npm install --prefix "$target" --no-audit --no-fund --ignore-scripts --silent
for generation in "${generations[@]}"; do
  place=$target/$generation
  mkdir "$place"
  git --git-dir="$source" ls-tree -r --name-only "$commit" controlplane/package.json controlplane/src/core/blobstorage/ \
    controlplane/src/core/tracing.ts cdn-server/package.json cdn-server/src/ cdn-server/cdn/src/ | while read -r path; do
    mkdir -p "$place/$(dirname "$path")"
    git --git-dir="$source" show "$commit:$path" >"$place/$path"
  done
  printf '{ "compilerOptions": { "experimentalDecorators": true } }\n' >"$place/tsconfig.json"
  printf '{ "name": "of-this-generation", "private": true, "dependencies": { "@aws-sdk/client-s3": "%s" } }\n' "$generation" >"$place/package.json"
  npm install --prefix "$place" --no-audit --no-fund --ignore-scripts --silent
  # The cdn is two packages of one workspace.
  mkdir -p "$place/node_modules/@wundergraph/cosmo-cdn"
  printf "module.exports = require('../../../cdn-server/cdn/src/index.ts');\n" >"$place/node_modules/@wundergraph/cosmo-cdn/index.js"
done
rm -rf "$target/git"
printf '%s\n' "$stamp" >"$target/VERSION"

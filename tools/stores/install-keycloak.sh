#!/usr/bin/env bash
# Keycloak at a pinned version into node_modules/.cache/stores/keycloak/, once: 177 MB from Maven Central. It is no
# store: tests take tokens from it. Needs Maven and a Java of 17 or later, which also runs it.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/place.sh"
find_place keycloak bin/kc.sh 26.7.3
sha256=27a6535553c3cdcd083872ba40629efafb3475e3b758e0c6f691395561dd0f1f
for needed in mvn java unzip; do
  if ! command -v "$needed" >/dev/null; then
    printf 'install-keycloak: there is no %s here\n' "$needed" >&2
    exit 1
  fi
done
make_draft
plugin=org.apache.maven.plugins:maven-dependency-plugin:3.8.1
nice -n 10 mvn -q --strict-checksums "-Dmaven.repo.local=$draft/repository" "$plugin:copy" \
  "-Dartifact=org.keycloak:keycloak-quarkus-dist:$version:zip" "-DoutputDirectory=$draft"
archive=$draft/keycloak-quarkus-dist-$version.zip
printf '%s  %s\n' "$sha256" "$archive" | sha256sum --check --quiet
nice -n 10 unzip -q "$archive" -d "$draft"
rm -rf "$target"
mv "$draft/keycloak-$version" "$target"
say_placed

#!/usr/bin/env bash
# Makes what compose.yaml refers to below secrets/, once. A file that is there stays as it is, and nothing is printed.
# The folder is closed to others; the files in it are readable, since containers read them as users of their own.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
umask 077
mkdir -p secrets
chmod 700 secrets
hex() { openssl rand -hex "$1"; }
# keep NAME COMMAND…: what the command prints, where there is nothing yet.
keep() {
  local name=$1
  shift
  if [ ! -s "secrets/$name" ]; then
    "$@" >"secrets/$name.draft"
    chmod 444 "secrets/$name.draft"
    mv "secrets/$name.draft" "secrets/$name"
  fi
}
settings() {
  local password
  password=$(cat secrets/postgres-password)
  printf 'ARTIFACTSTORE_DATABASE_URL=postgresql://artifactstore:%s@postgres:5432/artifactstore?sslmode=disable\n' "$password"
  printf 'ARTIFACTSTORE_AUTH_TOKENS=ci=%s,prometheus=%s\n' "$(hex 24)" "$(hex 24)"
}
keep postgres-password hex 24
keep minio-root-user hex 10
keep minio-root-password hex 24
keep s3-access-key hex 10
keep s3-secret-key hex 20
# Compose reads this one itself, so nobody else needs to.
keep artifactstore.env settings
chmod 400 secrets/artifactstore.env

#!/usr/bin/env bash
# Installs the Debian packages that test/stores/rgw.ts starts: a monitor, an object store daemon and the S3 gateway.
# Does nothing where they are there already. Nothing is enabled, configured or started.
set -euo pipefail

programs=(ceph ceph-mon ceph-osd ceph-authtool monmaptool radosgw radosgw-admin)
missing=()
for program in "${programs[@]}"; do
  command -v "$program" >/dev/null || missing+=("$program")
done
if [ ${#missing[@]} -eq 0 ]; then
  radosgw --version
  exit 0
fi

if ! command -v apt-get >/dev/null; then
  printf 'install-ceph: %s missing, and no apt-get here to install them with\n' "${missing[*]}" >&2
  exit 1
fi
if [ "$(id -u)" -ne 0 ]; then
  printf 'install-ceph: %s missing; installing them needs root. Run: sudo %s\n' "${missing[*]}" "$0" >&2
  exit 1
fi

export DEBIAN_FRONTEND=noninteractive
apt-get update -q
# The packages' own scripts must not start daemons: tests start theirs, in a directory of their own.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
  trap 'rm -f "$policy"' EXIT
  printf '#!/bin/sh\nexit 101\n' >"$policy"
  chmod 755 "$policy"
fi
apt-get install -y -q --no-install-recommends ceph-mon ceph-osd radosgw ceph-common
radosgw --version

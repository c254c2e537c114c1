#!/usr/bin/env bash
# Ceph 20 from Debian's unstable suite, in a directory of its own: node_modules/.cache/stores/ceph20. About a minute,
# 150 MB over the network, 1.4 GB on disk. The machine's own packages are not touched, and nothing stays mounted.
set -euo pipefail
target=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)/node_modules/.cache/stores/ceph20

if [ -x "$target/usr/bin/radosgw" ]; then
  printf '%s\n' "$target"
  exit 0
fi
if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
  printf 'install-ceph-20: it takes root on a Debian, for a root directory of its own. Run: sudo %s\n' "$0" >&2
  exit 1
fi
if ! command -v debootstrap >/dev/null; then
  apt-get update -q
  DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends debootstrap
fi
sources=(/etc/apt/sources.list /etc/apt/sources.list.d/*.sources /etc/apt/sources.list.d/*.list)
mirror=$(sed -nE 's/^(deb [^ ]*|URIs:) *(https?:[^ ]*[^ /]).*/\2/p' "${sources[@]}" 2>/dev/null | grep -v security | head -n 1 || true)
draft=$target.draft
rm -rf --one-file-system "$draft"
mkdir -p "$draft"
trap 'rm -rf --one-file-system "$draft"' EXIT
# What is mounted is so for these processes alone, and ends with them.
nice -n 10 unshare --mount --propagation private debootstrap --variant=minbase sid "$draft" "${mirror:-http://deb.debian.org/debian}" >"$target.log" 2>&1 ||
  { tail -n 20 "$target.log" >&2; exit 1; }

printf '#!/bin/sh\nexit 101\n' >"$draft/usr/sbin/policy-rc.d"
chmod 755 "$draft/usr/sbin/policy-rc.d"
cp -L /etc/resolv.conf "$draft/etc/resolv.conf"
cp /etc/apt/apt.conf.d/*proxy* "$draft/etc/apt/apt.conf.d/" 2>/dev/null || true
# A mirror may be behind; signatures are checked anyway, and only this directory trusts it.
printf 'Acquire::Check-Valid-Until "false";\n' >"$draft/etc/apt/apt.conf.d/99mirror"
within='for each in proc dev; do mount --rbind "/$each" "$0/$each"; done; exec chroot "$0" /usr/bin/env -i "$@"'
nice -n 10 unshare --mount --propagation private sh -c "$within" "$draft" \
  PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive \
  sh -c 'apt-get update -q && apt-get install -y -q --no-install-recommends "$@" && apt-get clean' \
  _ ca-certificates ceph-mon ceph-osd radosgw ceph-common \
  >>"$target.log" 2>&1 || { tail -n 20 "$target.log" >&2; exit 1; }
mv "$draft" "$target"
printf '%s\n' "$target"

#!/bin/sh
# The stack's commands, each as often as you like. No value of a secret is an argument or printed.
#   cosmo.sh bootstrap   Vault: starts it, brings in what is missing, gives the agent a way in
#   cosmo.sh up          the agent, the store and the databases; then the one-shots; then Cosmo
#   cosmo.sh seed        the first organization and user
#   cosmo.sh evidence    runs what can be run again, keeps what it says in evidence/, and looks for secrets in it:
#                        ends with 1 where a step failed, 3 where there may be a secret, 4 where both are so
# COSMO_STORE=seaweedfs starts that store instead of MinIO; COSMO_PROXY is the proxy in front of this machine.
set -eu
cd "$(dirname "$0")"
dc() { docker compose --profile cosmo-init --profile cosmo-seed --profile seaweedfs "$@"; }
# It never stays behind, and its dependencies run already.
one_shot() { dc run --rm -T --no-deps "$1"; }

bootstrap() {
  dc up --detach --wait vault
  one_shot vault-bootstrap
}

up() {
  dc up --detach --wait vault vault-agent
  dc up --detach --wait "${COSMO_STORE:-minio}" postgres cosmo-clickhouse cosmo-redis cosmo-nats
  for name in cosmo-postgres-bootstrap cosmo-db-migration cosmo-clickhouse-migration artifact-bucket-init; do one_shot "$name"; done
  dc up --detach --wait cosmo-keycloak cosmo-controlplane cosmo-cdn cosmo-studio
}

evidence() {
  out=evidence/$(date -u +%Y%m%dT%H%M%SZ)
  mkdir -p evidence && mkdir "$out"
  failed='' skipped=''
  # step NAME WHAT-IT-PROVES COMMAND…: after the first one that fails the others are named, and not run.
  step() {
    name=$1 proves=$2
    shift 2
    if [ -n "$failed" ]; then
      skipped="$skipped $name"
    elif "$@" >"$out/$name.txt" 2>&1; then
      printf -- '- %s.txt: %s\n' "$name" "$proves" >>"$out/index.md"
    else
      failed=$name
      printf -- '- %s.txt: **failed**, so it is not shown: %s\n' "$name" "$proves" >>"$out/index.md"
    fi
  }
  step vault-bootstrap 'Vault has all that it must; nothing was replaced, and no value printed' one_shot vault-bootstrap
  # As a process of its own: a function that is asked whether it succeeds does not end where it fails.
  step up 'the stack is up, and what it depends on' sh cosmo.sh up
  step artifact-bucket-init-run1 'the bucket is there' one_shot artifact-bucket-init
  step artifact-bucket-init-run2 'a second run changes nothing' one_shot artifact-bucket-init
  step artifact-probe 'the store does what Cosmo asks of it' one_shot cosmo-artifact-probe
  step posture 'nothing is published or routed' artifactstore store posture --compose compose.yaml ${COSMO_PROXY:+--proxy "$COSMO_PROXY"}
  step rendered 'digests of the rendered files: equal ones mean that nothing was rotated' \
    dc exec -T vault-agent sh -c 'cd /secrets && sha256sum *.env'
  step ps 'what runs, and that no one-shot is left' dc ps --all
  broken=$failed
  test -z "$skipped" || printf 'Not run:%s.\n' "$skipped" >>"$out/index.md"
  # Whatever is there may be given away: it is looked through in any case.
  failed=''
  step leak-scan 'no secret is in any of these files' one_shot evidence-scan
  code=0
  if [ -n "$broken" ]; then
    code=1
    printf 'cosmo.sh: %s failed, see %s\n' "$broken" "$out/$broken.txt" >&2
  fi
  if [ -n "$failed" ]; then
    code=$((code + 3))
    printf 'cosmo.sh: a secret is in the evidence, or not all could be looked through: give it to nobody, see %s\n' \
      "$out/leak-scan.txt" >&2
  fi
  printf '%s\n' "$out"
  return "$code"
}

# A machine without it takes `compose` for a word of `docker` itself, and tells of a flag.
needs() {
  docker compose version >/dev/null 2>&1 ||
    { echo 'cosmo.sh: `docker compose` does not run here; install Docker Compose v2, the plugin of docker' >&2; exit 69; }
  test "$1" != evidence || command -v artifactstore >/dev/null ||
    { echo 'cosmo.sh: `artifactstore` is not on PATH, and `evidence` runs it; install it' >&2; exit 69; }
}

case ${1:-} in bootstrap | up | seed | evidence) needs "$1" ;; esac
case ${1:-} in
  bootstrap) bootstrap ;;
  up) up ;;
  seed) one_shot cosmo-seed ;;
  evidence) evidence ;;
  *) sed -n '2,8s/^# \{0,1\}//p' "$(basename "$0")"; exit 2 ;;
esac

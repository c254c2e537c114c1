#!/bin/sh
# The bucket, made where it is missing, with the AWS CLI: any store that speaks S3. A second run only reads.
# `artifactstore store init --settings /secrets/artifacts.env` does the same where there is no AWS CLI.
set -eu
export AWS_ACCESS_KEY_ID="$S3_ACCESS_KEY_ID" AWS_SECRET_ACCESS_KEY="$S3_SECRET_ACCESS_KEY" AWS_DEFAULT_REGION="$S3_REGION"
# Stores of before 2025 do not take the checksums that newer clients send by themselves.
export AWS_REQUEST_CHECKSUM_CALCULATION=when_required AWS_RESPONSE_CHECKSUM_VALIDATION=when_required
export AWS_EC2_METADATA_DISABLED=true AWS_PAGER='' AWS_MAX_ATTEMPTS=3
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export AWS_CONFIG_FILE="$work/config"
style=auto
[ "$S3_FORCE_PATH_STYLE" != true ] || style=path
printf '[default]\ns3 =\n  addressing_style = %s\n' "$style" >"$AWS_CONFIG_FILE"
say() { printf 'artifact-bucket-init: %s\n' "$1"; }
store() { aws --endpoint-url "$S3_ENDPOINT_URL" --cli-connect-timeout 5 --cli-read-timeout 20 s3api "$@"; }

# What the CLI says has no key in it; the code in parentheses tells what it is.
look() { store head-bucket --bucket "$COSMO_S3_BUCKET" >/dev/null 2>"$work/said"; }
waited=0
until look; do
  if grep -q '(404)' "$work/said"; then
    # In a race the other one may have made it.
    store create-bucket --bucket "$COSMO_S3_BUCKET" >/dev/null 2>"$work/said" || grep -q BucketAlreadyOwnedByYou "$work/said" || {
      say "the bucket $COSMO_S3_BUCKET could not be made at $S3_ENDPOINT_URL: $(tail -n 1 "$work/said")"
      exit 1
    }
    say "the bucket $COSMO_S3_BUCKET was made"
    exit 0
  fi
  if grep -qE '\((400|401|403)\)' "$work/said"; then
    say "$S3_ENDPOINT_URL refuses: the bucket $COSMO_S3_BUCKET is somebody else's, or the keys or the region $S3_REGION are not the store's"
    exit 1
  fi
  waited=$((waited + 1))
  if [ "$waited" -ge "${BUCKET_INIT_ATTEMPTS:-20}" ]; then
    say "$S3_ENDPOINT_URL does not answer: $(tail -n 1 "$work/said")"
    exit 1
  fi
  sleep 3
done
say "the bucket $COSMO_S3_BUCKET is there: nothing was changed"

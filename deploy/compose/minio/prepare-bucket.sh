#!/bin/sh
# Makes the bucket where it is missing, and a user with a policy for it alone. Keys come from files, and go by standard
# input: they are on no command line. MINIO_URL and BUCKET say which store and which bucket.
set -eu
secrets=${SECRETS_DIRECTORY:-/run/secrets}
export MC_CONFIG_DIR="${MC_CONFIG_DIR:-/tmp/mc}"
{ cat "$secrets/minio-root-user" && cat "$secrets/minio-root-password"; } | mc --quiet alias set store "$MINIO_URL" >/dev/null
mc --quiet mb --ignore-existing "store/$BUCKET"
policy=$(mktemp)
cat >"$policy" <<END
{"Version": "2012-10-17", "Statement": [
  {"Effect": "Allow", "Resource": ["arn:aws:s3:::$BUCKET/*"],
   "Action": ["s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload",
              "s3:ListMultipartUploadParts"]},
  {"Effect": "Allow", "Resource": ["arn:aws:s3:::$BUCKET"],
   "Action": ["s3:ListBucket", "s3:ListBucketMultipartUploads"]}]}
END
mc --quiet admin policy create store artifactstore "$policy" >/dev/null
rm -f "$policy"
{ cat "$secrets/s3-access-key" && cat "$secrets/s3-secret-key"; } | mc --quiet admin user add store >/dev/null
user=$(cat "$secrets/s3-access-key")
mc --quiet admin user info store "$user" | grep -q 'PolicyName: *artifactstore' ||
  mc --quiet admin policy attach store artifactstore --user "$user" >/dev/null
echo "the bucket $BUCKET is there, and a user for it"

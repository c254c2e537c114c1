import type { DirectoryStoreKind } from './directory-store.ts';

export const minio: DirectoryStoreKind = {
  id: 'minio',
  name: 'MinIO',
  region: 'us-east-1',
  start: (address, directory, keys) => ({
    args: ['server', '--quiet', '--address', address, '--console-address', '127.0.0.1:0', directory],
    environment: {
      MINIO_ROOT_USER: keys.accessKeyId,
      MINIO_ROOT_PASSWORD: keys.secretAccessKey,
      MINIO_BROWSER: 'off',
      MINIO_UPDATE: 'off',
      MINIO_CI_CD: 'on',
    },
  }),
};

export const versitygw: DirectoryStoreKind = {
  id: 'versitygw',
  name: 'Versity S3 Gateway',
  region: 'us-east-1',
  remains: 'it says that a bucket with object lock is not empty (409 BucketNotEmpty) when everything in it was deleted',
  start: (address, directory, keys) => ({
    args: ['--port', address, '--quiet', 'posix', directory],
    environment: { ROOT_ACCESS_KEY: keys.accessKeyId, ROOT_SECRET_KEY: keys.secretAccessKey },
  }),
};

export const rclone: DirectoryStoreKind = {
  id: 'rclone',
  name: 'rclone serve s3',
  region: 'us-east-1',
  shortcoming: 'a read ends with an error when its object is deleted meanwhile',
  remains: 'deleting many objects of one folder at a time is answered 500 InternalError for some',
  start: (address, directory, keys) => ({
    args: ['serve', 's3', '--addr', address, '--vfs-cache-mode', 'full', directory],
    // The variable is a list of pairs, in CSV.
    environment: { RCLONE_AUTH_KEY: `"${keys.accessKeyId},${keys.secretAccessKey}"`, XDG_CACHE_HOME: `${directory}.cache` },
  }),
};

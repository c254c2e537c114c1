import { randomBytes } from 'node:crypto';
import type { DirectoryStoreKind } from './directory-store.ts';

export const minio: DirectoryStoreKind = {
  id: 'minio',
  name: 'MinIO',
  region: 'us-east-1',
  // S3 is there before users and policies are: it asks an issuer in between.
  readyPath: '/minio/health/cluster',
  start: (port, directory, keys) => ({
    args: ['server', '--quiet', '--address', `127.0.0.1:${port}`, '--console-address', '127.0.0.1:0', directory],
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
  start: (port, directory, keys) => ({
    args: ['--port', `127.0.0.1:${port}`, '--quiet', 'posix', directory],
    environment: { ROOT_ACCESS_KEY: keys.accessKeyId, ROOT_SECRET_KEY: keys.secretAccessKey },
  }),
};

export const rclone: DirectoryStoreKind = {
  id: 'rclone',
  name: 'rclone serve s3',
  region: 'us-east-1',
  wavers: 'of many requests at once some are answered 500 InternalError now and then',
  remains: 'deleting many objects of one folder at a time is answered 500 InternalError for some',
  shortcoming: 'a read ends with an error when its object is deleted meanwhile',
  start: (port, directory, keys) => ({
    args: ['serve', 's3', '--addr', `127.0.0.1:${port}`, '--vfs-cache-mode', 'full', directory],
    // The variable is a list of pairs, in CSV.
    environment: { RCLONE_AUTH_KEY: `"${keys.accessKeyId},${keys.secretAccessKey}"`, XDG_CACHE_HOME: `${directory}.cache` },
  }),
};

/** Its own parts speak to each other at seven more ports. */
export const seaweedfs: DirectoryStoreKind = {
  id: 'seaweedfs',
  name: 'SeaweedFS',
  region: 'us-east-1',
  ports: 8,
  start: (port, directory, keys) => ({
    args: [
      'server',
      `-dir=${directory}`,
      '-ip=127.0.0.1',
      '-ip.bind=127.0.0.1',
      '-master.telemetry=false',
      '-master.volumeSizeLimitMB=256',
      '-volume.max=0',
      '-s3',
      '-s3.port.iceberg=0',
      '-s3.port.lance=0',
      `-s3.localSocket=${directory}.s3`,
      `-filer.localSocket=${directory}.filer`,
      ...[
        's3.port',
        's3.port.grpc',
        'filer.port',
        'filer.port.grpc',
        'master.port',
        'master.port.grpc',
        'volume.port',
        'volume.port.grpc',
      ].map((name, index) => `-${name}=${port + index}`),
    ],
    environment: { AWS_ACCESS_KEY_ID: keys.accessKeyId, AWS_SECRET_ACCESS_KEY: keys.secretAccessKey },
  }),
};

export const garage: DirectoryStoreKind = {
  id: 'garage',
  name: 'Garage',
  region: 'garage',
  wavers: 'of two uploads to one key at once the completion of one is answered 404 NoSuchUpload now and then',
  ports: 2,
  start: (port, directory, keys) => ({
    args: ['--config', `${directory}.toml`, 'server', '--single-node', '--default-access-key'],
    environment: { GARAGE_DEFAULT_ACCESS_KEY: keys.accessKeyId, GARAGE_DEFAULT_SECRET_KEY: keys.secretAccessKey },
    files: {
      [`${directory}.toml`]: `
metadata_dir = "${directory}/metadata"
data_dir = "${directory}/data"
db_engine = "sqlite"
replication_factor = 1
rpc_bind_addr = "127.0.0.1:${port + 1}"
rpc_public_addr = "127.0.0.1:${port + 1}"
rpc_secret = "${randomBytes(32).toString('hex')}"
[s3_api]
s3_region = "garage"
api_bind_addr = "127.0.0.1:${port}"
`,
    },
  }),
};

export const directoryStores: readonly DirectoryStoreKind[] = [minio, seaweedfs, garage, versitygw, rclone];

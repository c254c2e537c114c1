import type { Credentials } from '../../credentials/CREDENTIALS.ts';

/** Where a store is, and who asks. */
export interface Connection {
  /** Without a trailing slash; undefined means AWS itself, in `region`. */
  readonly endpointUrl: string | undefined;
  readonly region: string;
  readonly bucket: string;
  readonly forcePathStyle: boolean;
  readonly credentials: Credentials;
  /** What the names of its settings begin with, for messages; `s3Variables` where absent. */
  readonly variables?: string;
  /** The whole name of the one setting that leads to the keys; absent where they are references, or a role's. */
  readonly keysSetting?: string;
  /** The whole name of the setting of the bucket, where it is not `BUCKET` behind `variables`. */
  readonly bucketSetting?: string;
}

/** Where requests go, AWS's own place included. */
export function endpointOf({ endpointUrl, region }: Pick<Connection, 'endpointUrl' | 'region'>): string {
  return endpointUrl ?? `https://s3.${region}.amazonaws.com`;
}

export interface S3Settings extends Connection {
  readonly id: string;
  /** Before every key, with a slash between; empty for none. No slash at either end. */
  readonly keyPrefix: string;
  readonly storageClass: string | undefined;
  readonly serverSideEncryption: ServerSideEncryption | undefined;
  /**
   * A source that can be read again, is longer than a part and shorter than this, goes in one request; others longer
   * than a part in parts.
   */
  readonly multipartThresholdBytes: number;
  readonly multipartChunkBytes: number;
  readonly dialect: Dialect;
  /** Present where others may be given addresses to write to. */
  readonly presigned?: PresignedUploads;
}

/** What the store's certificate says of presigned addresses. */
export interface PresignedUploads {
  /** Whether a signed `If-None-Match: *` is obeyed. */
  readonly createOnly: boolean;
  /** Whether a copy is of the version that it names, with its ETag. */
  readonly copies: boolean;
}

export type ServerSideEncryption = 'AES256' | 'aws:kms';

/** In what stores of the same protocol differ, as far as it matters here; found by `storage certify`. */
export interface Dialect {
  /**
   * What binds a body to its request. A signed `x-amz-content-sha256` is checked by most; where it is ignored,
   * `Content-MD5` is sent beside it.
   */
  readonly bodyBinding: 'signed-sha256' | 'content-md5';
  /**
   * Whether objects are written with the canned ACL `bucket-owner-full-control`: without it a bucket's owner may not
   * read what temporary credentials wrote.
   */
  readonly ownerAcl: boolean;
}

export const defaultDialect: Dialect = { bodyBinding: 'signed-sha256', ownerAcl: false };

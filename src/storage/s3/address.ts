import { encode } from '../../protocol/aws-signature.ts';
import { type Connection, endpointOf } from './settings.ts';

/** Where a request goes. */
export interface Address {
  /** `http:` or `https:`. */
  readonly protocol: string;
  /** With its port. */
  readonly host: string;
  /** Percent-encoded, without a query. */
  readonly path: string;
}

/** Of a key of the store, of a bucket without one, or of the store itself where the bucket is empty. */
export function addressOf(
  connection: Pick<Connection, 'endpointUrl' | 'region' | 'forcePathStyle'>,
  bucket: string,
  key: string | undefined,
): Address {
  const { protocol, host, pathname } = new URL(endpointOf(connection));
  const base = pathname.replace(/\/$/, '');
  const tail = key === undefined ? '' : key.split('/').map(encode).join('/');
  if (bucket === '') return { protocol, host, path: `${base}/` };
  if (!connection.forcePathStyle) return { protocol, host: `${bucket}.${host}`, path: `${base}/${tail}` };
  return { protocol, host, path: `${base}/${bucket}${key === undefined ? '' : `/${tail}`}` };
}

import type { StoredObject } from '../../dataplane/DATAPLANE.ts';
import type { ContentAddress } from '../../kernel/content/address.ts';
import type { ObjectRow } from '../operations/objects.ts';

type StoredRow = Pick<ObjectRow, 'backend_id' | 'object_key' | 'size_bytes' | 'content_address' | 'digest_sha256'>;

/** The row of an object that has a key as what is read. */
export function storedObject(row: StoredRow): StoredObject {
  return {
    backendId: row.backend_id,
    objectKey: row.object_key!,
    sizeBytes: row.size_bytes!,
    contentAddress: row.content_address as ContentAddress,
    digestSha256: row.digest_sha256!,
  };
}

import type { StoredObject } from '../../dataplane/DATAPLANE.ts';
import type { ContentAddress } from '../../kernel/content/address.ts';
import type { ObjectRow } from '../operations/objects.ts';

type StoredRow = Pick<ObjectRow, 'backend_id' | 'object_key' | 'size_bytes' | 'content_address' | 'digest_sha256'>;

/** The row of an object that has a key as what is read. Every download makes one, so it names each member. */
export function storedObject({ backend_id, object_key, size_bytes, content_address, digest_sha256 }: StoredRow): StoredObject {
  return {
    backendId: backend_id,
    objectKey: object_key!,
    sizeBytes: size_bytes!,
    contentAddress: content_address as ContentAddress,
    digestSha256: digest_sha256!,
  };
}

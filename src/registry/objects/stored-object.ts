import type { StoredObject } from '../../dataplane/DATAPLANE.ts';
import type { ContentAddress } from '../../kernel/content/address.ts';
import { camelCase } from '../../kernel/format/letter-case.ts';
import type { ObjectRow } from '../operations/objects.ts';

type StoredRow = Pick<ObjectRow, 'backend_id' | 'object_key' | 'size_bytes' | 'content_address' | 'digest_sha256'>;

/** The row of an object that has a key as what is read. */
export function storedObject({ backend_id, object_key, size_bytes, content_address, digest_sha256 }: StoredRow): StoredObject {
  return camelCase({
    backend_id,
    object_key: object_key!,
    size_bytes: size_bytes!,
    content_address: content_address as ContentAddress,
    digest_sha256: digest_sha256!,
  });
}

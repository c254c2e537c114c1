import assert from 'node:assert/strict';
import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { it } from 'node:test';
import type { Grant, Principal } from '../../kernel/access.ts';
import type { Registry, Uploads, WriteSession } from '../REGISTRY.ts';
import { chunks, collect, refuses, unique } from './samples.ts';

const name = 'dir/large';

/** What an object of a write session must be that comes in pieces, where a registry takes uploads. */
export function describePiecesOf(registry: () => Registry, as: (principal: Principal) => Registry): void {
  const uploads = (): Uploads => registry().uploads!;
  const sessions = () => registry().writeSessions;
  const begin = async (id: string) => (await sessions().beginUpload(id, name)).record;

  async function open(bytes: Uint8Array): Promise<WriteSession> {
    const objects = [{ name, sha256: createHash('sha256').update(bytes).digest('hex'), size_bytes: bytes.length }];
    const input = {
      scope: 's',
      producer: unique('producer'),
      subject: 'u',
      namespace: 'n',
      retention_class: 'transient',
      ttl_seconds: 600,
    };
    return (await sessions().open({ ...input, objects }, { idempotencyKey: randomUUID() })).record;
  }

  async function commits(id: string, bytes: Uint8Array): Promise<void> {
    const { package_id } = await sessions().commit(id);
    const read = await registry().files.open({ package_id, relative_path: name });
    assert.equal(Buffer.compare(await collect(read!.body), bytes), 0);
  }

  it('takes an object in pieces, from where it was after a break', async (context) => {
    if (registry().uploads === undefined) return context.skip('this registry is asked for uploads elsewhere');
    const bytes = randomBytes(3_300_000);
    const { id } = await open(bytes);
    const { id: upload } = await begin(id);
    await uploads().append(upload, 0, chunks(bytes.subarray(0, 1_100_000)));
    const breaks = async function* () {
      yield bytes.subarray(1_100_000, 2_000_000);
      throw new Error('the connection broke');
    };
    await assert.rejects(uploads().append(upload, 1_100_000, breaks()));
    const again = await sessions().beginUpload(id, name);
    assert.deepEqual([again.created, again.record.id, again.record.offset_bytes], [false, upload, 2_000_000]);
    assert.equal((await sessions().status(id))?.objects[0]?.upload_id, upload);
    await refuses('write_session_incomplete', sessions().commit(id));
    const whole = await uploads().append(upload, 2_000_000, chunks(bytes.subarray(2_000_000)));
    assert.deepEqual([whole.state, whole.file_id], ['finished', null]);
    await refuses('write_session_object_received', begin(id));
    await commits(id, bytes);
  });

  it('takes no other bytes in pieces than were announced, and then the right ones', async (context) => {
    if (registry().uploads === undefined) return context.skip('this registry is asked for uploads elsewhere');
    const bytes = randomBytes(1_200_000);
    const { id } = await open(bytes);
    const { id: upload } = await begin(id);
    await uploads().append(upload, 0, chunks(bytes.subarray(0, 1_100_000)));
    await assert.rejects(uploads().append(upload, 1_100_000, chunks(Buffer.alloc(100_000))), { code: 'digest_mismatch', field: name });
    await refuses('upload_not_found', uploads().append(upload, 1_100_000, chunks(bytes.subarray(1_100_000))));
    await uploads().append((await begin(id)).id, 0, chunks(bytes));
    await commits(id, bytes);
    const { id: empty } = await open(new Uint8Array());
    await uploads().append((await begin(empty)).id, 0, chunks(''));
    await commits(empty, new Uint8Array());
  });

  it('takes pieces only while who sends them may write', async (context) => {
    if (registry().uploads === undefined) return context.skip('this registry is asked for uploads elsewhere');
    const bytes = randomBytes(10);
    const { id, producer } = await open(bytes);
    const of = (role: Grant['role'], exact: string) => as({ actor: 'who', share: 'who', grants: [{ role, producers: [{ exact }] }] });
    const writer = of('writer', producer);
    const { id: upload } = (await writer.writeSessions.beginUpload(id, name)).record;
    await refuses('forbidden', of('reader', producer).uploads!.append(upload, 0, chunks(bytes)));
    await refuses('write_session_not_found', of('writer', unique('another')).uploads!.append(upload, 0, chunks(bytes)));
    await writer.uploads!.append(upload, 0, chunks(bytes));
    await commits(id, bytes);
  });
}

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Database } from '../../src/database/DATABASE.ts';
import { administrator } from '../../src/kernel/access.ts';
import { blake3, toHex } from '../../src/kernel/content/digest.ts';
import { filesDigest } from '../../src/kernel/content/files-digest.ts';
import { decodeCbor, encodeCbor } from '../../src/kernel/format/cbor.ts';
import type { Manifest } from '../../src/kernel/manifest.ts';
import type { FinalizePackage } from '../../src/registry/operations/finalize.ts';
import type { RegistryOperations } from '../../src/registry/operations/operations.ts';
import type { TwoBackends } from './two-backends.ts';

const several = 1_001;

/** Sealing a package that is too large for one step. */
export function sealingCases(name: string, open: () => Promise<TwoBackends>): void {
  describe(`a large package on ${name}`, () => {
    let store: TwoBackends;
    before(async () => {
      store = await open();
    });
    after(() => store.close());

    const newPackage = async () => {
      const tester = store.as(administrator('tester'));
      const { id } = (await tester.packages.create({ name: 'n', producer: 'p', subject: 's', retention_class: 'transient' })).record;
      const { record } = await tester.files.add(id, { relative_path: 'f/0', body: bytes('the same') });
      const items = Array.from({ length: several - 1 }, (_, index) => ({
        relative_path: `f/${index + 1}`,
        content_address: record.content_address,
        size_bytes: record.size_bytes,
      }));
      await tester.files.attach(id, items);
      return id;
    };
    /** The registry, and what it asks of the database; `between` is done each time that a first stretch was read. */
    const watched = (between: () => Promise<unknown> = async () => undefined, beforeSealing?: (input: FinalizePackage) => void) => {
      const asked: string[] = [];
      const database: Database<RegistryOperations> = {
        ...store.database,
        async write(operation, input) {
          asked.push(operation);
          if (operation === 'package.finalize') beforeSealing?.(input as FinalizePackage);
          return await store.database.write(operation, input);
        },
        async read(operation, input) {
          const output = await store.database.read(operation, input);
          if (operation === 'package.stretch') {
            asked.push(operation);
            if ((input as { readonly after: string | null }).after === null) await between();
          }
          return output;
        },
      };
      return { registry: store.over({ database }).as(administrator('tester')), asked };
    };
    const manifestOf = async (id: string) => {
      const { bytes, digest } = await store.as(administrator('tester')).packages.manifest(id);
      assert.equal(digest, `blake3:${toHex(blake3(bytes))}`);
      const manifest = decodeCbor(bytes) as unknown as Manifest;
      assert.equal(Buffer.compare(encodeCbor(manifest), bytes), 0);
      assert.deepEqual(
        manifest.storage_receipts.map(({ file_id }) => file_id),
        manifest.files.map((file) => file.id),
      );
      const paths = manifest.files.map(({ relative_path }) => relative_path);
      assert.deepEqual(paths, paths.toSorted());
      return manifest;
    };
    const inSteps = ['package.finalize', 'package.stretch', 'package.stretch', 'package.finalize'];
    const again = inSteps.slice(1);

    it('is read in steps, and others write between them', async () => {
      const id = await newPackage();
      const other = store.as(administrator('other')).packages;
      const { registry, asked } = watched(() => other.create({ name: 'n', producer: 'p', subject: 's', retention_class: 'transient' }));
      const sealed = await registry.packages.finalize(id);
      assert.deepEqual([sealed.file_count, asked], [several, inSteps]);
      const manifest = await manifestOf(id);
      assert.equal(manifest.files.length, several);
      // Once it is sealed, the files are read only for a digest that is expected.
      assert.deepEqual(await registry.packages.finalize(id), sealed);
      assert.deepEqual(await registry.packages.finalize(id, { files_digest: filesDigest(manifest.files) }), sealed);
      await assert.rejects(registry.packages.finalize(id, { files_digest: filesDigest([]) }), { code: 'precondition_failed' });
    });

    it('that gets a file meanwhile is read again, and has it', async () => {
      const id = await newPackage();
      let added = false;
      const { registry, asked } = watched(async () => {
        if (!added) await store.as(administrator('tester')).files.add(id, { relative_path: 'a', body: bytes('new') });
        added = true;
      });
      assert.equal((await registry.packages.finalize(id)).file_count, several + 1);
      assert.deepEqual(asked, [...inSteps, ...again]);
      assert.equal((await manifestOf(id)).files[0]!.relative_path, 'a');
    });

    it('whose files are moved meanwhile says where they are', async () => {
      const id = await newPackage();
      const { registry, asked } = watched(() => store.operator.move({ from: 'near', to: 'far', packageId: id }));
      await registry.packages.finalize(id);
      assert.deepEqual(asked, [...inSteps, ...again]);
      const { storage_receipts } = await manifestOf(id);
      assert.deepEqual([...new Set(storage_receipts.map(({ backend_id }) => backend_id))], ['far']);
    });

    it('is not read again for what happens to the files of another', async () => {
      const other = store.as(administrator('other'));
      const input = { name: 'n', producer: 'p', subject: 'mine', retention_class: 'transient' };
      const { id: others } = (await other.packages.create(input)).record;
      await other.files.add(others, { relative_path: 'a', body: bytes('mine') });
      const id = await newPackage();
      const { registry, asked } = watched(() => store.operator.move({ from: 'near', to: 'far', packageId: others }));
      await registry.packages.finalize(id);
      assert.deepEqual(asked, inSteps);
      assert.ok((await other.files.find(others, 'a'))!.locations.some(({ backend_id }) => backend_id === 'far'));
    });

    it('whose encoded files were taken by an attempt that failed is read again', async () => {
      const tester = store.as(administrator('tester'));
      let repeated = 0;
      for (let attempt = 0; attempt < 10 && repeated === 0; attempt++) {
        const id = await newPackage();
        const { id: small } = (await tester.packages.create({ name: 'n', producer: 'p', subject: 's', retention_class: 'transient' }))
          .record;
        await tester.files.add(small, { relative_path: 'a', body: bytes('small') });
        let others: Promise<unknown> | undefined;
        const { registry, asked } = watched(undefined, (input) => {
          if (others !== undefined || input.prepared === null) return;
          // No event can be written of nobody, so that the set of both is undone, and each is tried alone.
          const nobody = { ...input, id: small, actor: null as unknown as string, prepared: null, moved: [], in_one_step: false };
          others = assert.rejects(store.database.write('package.finalize', nobody));
        });
        assert.equal((await registry.packages.finalize(id)).file_count, several);
        await others;
        assert.equal((await manifestOf(id)).files.length, several);
        repeated = asked.length - inSteps.length;
      }
      assert.equal(repeated, again.length, 'no attempt was undone');
    });

    it('that never stays as it was read is sealed in one step in the end', async () => {
      const id = await newPackage();
      let count = 0;
      const { registry, asked } = watched(() =>
        store.as(administrator('tester')).files.add(id, { relative_path: `a/${count++}`, body: bytes('x') }),
      );
      assert.equal((await registry.packages.finalize(id)).file_count, several + 4);
      assert.equal(asked.filter((operation) => operation === 'package.finalize').length, 5);
      await manifestOf(id);
    });
  });
}

async function* bytes(text: string) {
  yield Buffer.from(text);
}

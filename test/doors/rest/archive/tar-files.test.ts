import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import { type Header, pack } from 'tar-stream';
import { assertProblem, type Door, openDoor } from '../open-door.ts';

type Entry = Partial<Header> & { readonly name: string; readonly body?: string };

/** An archive as another implementation writes it. */
async function archiveOf(...entries: readonly Entry[]): Promise<Buffer> {
  const writer = pack();
  for (const { body = '', ...header } of entries) writer.entry({ mtime: new Date(0), ...header }, body);
  writer.finalize();
  return Buffer.concat(await Array.fromAsync(writer, (chunk) => chunk as Buffer));
}

describe('a tar archive that is sent', () => {
  let door: Door;
  let directory: string;
  before(async () => {
    door = await openDoor({ limits: { filesPerRequest: 20 } });
    directory = mkdtempSync(join(tmpdir(), 'artifactstore-'));
  });
  after(async () => {
    await door[Symbol.asyncDispose]();
    rmSync(directory, { recursive: true, force: true });
  });

  const post = async (bytes: Uint8Array, id?: string, headers: Record<string, string> = {}) =>
    await door.call(`/packages/${id ?? (await door.newPackage()).id}/files`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-tar', ...headers },
      body: new Uint8Array(bytes),
    });
  const filesOf = async (response: Response) => {
    const text = await response.text();
    assert.equal(response.status, 201, text);
    return (
      JSON.parse(text) as { items: readonly { relative_path: string; size_bytes: number; media_type: string; annotations: object }[] }
    ).items;
  };

  for (const format of ['gnu', 'pax', 'ustar', 'v7'])
    it(`becomes files, as GNU tar writes it in the format ${format}`, async () => {
      const long = format === 'gnu' || format === 'pax' ? `deep/${'long-'.repeat(30)}/${'x'.repeat(150)}.txt` : 'deep/file.txt';
      const root = join(directory, format);
      const contents: Readonly<Record<string, string>> = {
        'a.json': '{}',
        'bin/run': '#!/bin/sh\n',
        [long]: 'deep',
        'ü.txt': 'u'.repeat(70_000),
      };
      for (const [path, text] of Object.entries(contents)) {
        mkdirSync(dirname(join(root, path)), { recursive: true });
        writeFileSync(join(root, path), text);
      }
      mkdirSync(join(root, 'empty'));
      chmodSync(join(root, 'bin/run'), 0o755);
      const bytes = execFileSync('tar', [`--format=${format}`, '--sort=name', '-C', root, '-cf', '-', '.'], { maxBuffer: 1e8 });
      const files = await filesOf(await post(bytes));
      assert.deepEqual(
        files.map(({ relative_path, size_bytes, media_type, annotations }) => [relative_path, size_bytes, media_type, annotations]),
        [
          ['a.json', 2, 'application/json', {}],
          ['bin/run', 10, 'application/octet-stream', { mode: 'executable' }],
          [long, 4, 'text/plain', {}],
          ['ü.txt', 70_000, 'text/plain', {}],
        ],
      );
    });

  it('is taken whole or not at all, and says which entry is in the way', async () => {
    const { id } = await door.newPackage();
    const good = { name: 'good', body: 'good' };
    const root = join(directory, 'odd');
    mkdirSync(root);
    writeFileSync(join(root, 'holes'), '');
    truncateSync(join(root, 'holes'), 10_000_000);
    symlinkSync('holes', join(root, 'link'));
    const sparse = (format: string) =>
      execFileSync('tar', [`--format=${format}`, '-S', '-C', root, '-cf', '-', 'holes'], { maxBuffer: 1e8 });
    const link = execFileSync('tar', ['-C', root, '-cf', '-', 'link']);
    const whole = await archiveOf(good, { name: 'second', body: 'x'.repeat(600) });
    const latin1 = Buffer.from(await archiveOf({ name: 'cafe', body: '' }));
    latin1[3] = 0xe9;
    const sum = latin1.subarray(0, 512).reduce((total, byte, index) => total + (index >= 148 && index < 156 ? 0x20 : byte), 0);
    latin1.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
    const cases: readonly (readonly [bytes: Uint8Array, code: string, detail: RegExp])[] = [
      [link, 'malformed_archive', /symbolic link.*entry 1, "link"/],
      [await archiveOf(good, { name: 'hard', type: 'link', linkname: 'good' }), 'malformed_archive', /hard link.*entry 2, "hard"/],
      [await archiveOf(good, { name: 'dev', type: 'character-device' }), 'malformed_archive', /character device.*"dev"/],
      [await archiveOf(good, { name: 'pipe', type: 'fifo' }), 'malformed_archive', /FIFO.*"pipe"/],
      [sparse('gnu'), 'malformed_archive', /sparse file.*"holes"/],
      [sparse('pax'), 'malformed_archive', /GNU\.sparse/],
      [await archiveOf(good, { name: '../up', body: 'x' }), 'invalid_path', /".."/],
      [await archiveOf(good, { name: '/abs', body: 'x' }), 'invalid_path', /slash/],
      [await archiveOf(good, { name: 'a/../b', body: 'x' }), 'invalid_path', /".."/],
      [await archiveOf(good, { name: 'a\\b', body: 'x' }), 'invalid_path', /backslash/],
      [await archiveOf(good, { name: '../../', type: 'directory' }), 'invalid_path', /".."/],
      [await archiveOf(good, good), 'malformed_archive', /"good" twice/],
      [await archiveOf(good, { name: './good', body: 'good' }), 'malformed_archive', /"good" twice/],
      [latin1, 'malformed_archive', /not UTF-8.*caf\\xe9/],
      [await archiveOf({ name: 'only', type: 'directory' }), 'malformed_archive', /no file/],
      [new Uint8Array(1024), 'malformed_archive', /no file/],
      [Buffer.from('nonsense'), 'malformed_archive', /cut short/],
      [Buffer.alloc(512, 0x61), 'malformed_archive', /checksum/],
      [whole.subarray(0, -1024), 'malformed_archive', /cut short/],
      [whole.subarray(0, 1600), 'malformed_archive', /cut short/],
      [Buffer.concat([whole, Buffer.from('more')]), 'malformed_archive', /after its end/],
      [gzipSync(whole), 'unsupported_media_type', /gzip/],
      [await archiveOf(good, { name: 'pax', pax: { hdrcharset: 'BINARY' } }), 'malformed_archive', /hdrcharset/],
    ];
    const before = await door.lastSequence();
    for (const [bytes, code, detail] of cases) {
      const problem = await assertProblem(await post(bytes, id), code === 'unsupported_media_type' ? 415 : 400, code);
      assert.match(String(problem.detail), detail);
    }
    const wrong = { 'content-md5': 'AAAAAAAAAAAAAAAAAAAAAA==' };
    await assertProblem(await post(whole, id, wrong), 400, 'digest_mismatch');
    assert.equal(await door.lastSequence(), before);
    assert.equal((await filesOf(await post(whole, id))).length, 2);
    await assertProblem(await post(await archiveOf({ name: 'good', body: 'other' }), id), 409, 'path_conflict');
  });

  it('has as many files as its bound says, and no more', async () => {
    const entries = (count: number) => Array.from({ length: count }, (_, index) => ({ name: `f${index}`, body: 'x' }));
    assert.equal((await filesOf(await post(await archiveOf(...entries(20))))).length, 20);
    await assertProblem(await post(await archiveOf(...entries(21))), 422, 'too_many_files');
  });

  it('refuses a manifest.json that is too long to be read whole, and takes a file of that name of any length', async () => {
    const long = { name: 'manifest.json', body: `{"files":[${' '.repeat(4_194_304)}]}` };
    const problem = await assertProblem(await post(await archiveOf(long, { name: 'a', body: 'a' })), 413, 'body_too_large');
    assert.equal((problem.info as { readonly bound: string }).bound, 'manifest_bytes');
    assert.equal((await filesOf(await post(await archiveOf({ name: 'a', body: 'a' }, long)))).length, 2);
    assert.equal((await filesOf(await post(await archiveOf({ ...long, body: `[${long.body}]` })))).length, 1);
    assert.match(await (await door.call('/metrics')).text(), /^artifactstore_http_limits_total\{limit="manifest_bytes"\} 1$/m);
  });

  it("knows an archive's own manifest.json from a file of that name", async () => {
    const { id } = await door.newPackage();
    await filesOf(await post(await archiveOf({ name: 'manifest.json', body: '{"files":[]}' }, { name: 'a', body: 'a' }), id));
    await door.registry.packages.finalize(id);
    const archive = Buffer.from(await (await door.call(`/packages/${id}/archive`)).arrayBuffer());
    const manifest = await (await door.call(`/packages/${id}/manifest.json`)).text();
    const mine = { name: 'manifest.json', body: '{"files":[]}' };
    const own = { name: 'manifest.json', body: manifest };
    const files = await filesOf(await post(archive));
    assert.deepEqual(
      files.map(({ relative_path, size_bytes }) => [relative_path, size_bytes]),
      [
        ['a', 1],
        ['manifest.json', 12],
      ],
    );
    for (const [detail, ...entries] of [
      [/comes first/, { name: 'a', body: 'a' }, own],
      [/does not name/, own, { name: 'a', body: 'a' }, mine, { name: 'b', body: 'b' }],
      [/does not have the file "manifest.json"/, own, { name: 'a', body: 'a' }],
    ] as const)
      assert.match(String((await assertProblem(await post(await archiveOf(...entries)), 400, 'malformed_archive')).detail), detail);
    await assertProblem(await post(await archiveOf(own, { name: 'a', body: 'b' }, mine)), 400, 'digest_mismatch');
  });
});

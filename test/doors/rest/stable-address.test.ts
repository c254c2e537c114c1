import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { chunks } from '../../../src/registry/conformance/samples.ts';
import { authorization, type Door, openDoor } from './open-door.ts';

const run = promisify(execFile);
const bytes = randomBytes(2_500_000);
const sha256 = createHash('sha256').update(bytes).digest('hex');
const path = `/objects/sha256:${sha256}/app.tar.gz`;

describe('the stable address of bytes', () => {
  let door: Door;
  let directory: string;
  before(async () => {
    door = await openDoor();
    directory = await mkdtemp(join(tmpdir(), 'artifactstore-'));
    const { record } = await door.registry.packages.create({ name: 'n', producer: 'p', subject: 's', retention_class: 'transient' });
    await door.registry.files.add(record.id, { relative_path: 'app.tar.gz', body: chunks(bytes) });
  });
  after(async () => {
    await door[Symbol.asyncDispose]();
    await rm(directory, { recursive: true, force: true });
  });

  it('lets curl resume a download that broke off', async (context) => {
    const curl = (...more: readonly string[]) =>
      run('curl', ['--fail', '--silent', '--show-error', '--header', `Authorization: ${authorization}`, ...more, `${door.url}${path}`]);
    if (!(await isThere('curl'))) return context.skip('curl is not installed');
    const file = join(directory, 'resumed');
    await writeFile(file, bytes.subarray(0, 1_234_567));
    const { stdout } = await curl('--continue-at', '-', '--output', file, '--write-out', '%{http_code} %{size_download}');
    assert.equal(stdout, `206 ${bytes.length - 1_234_567}`);
    assert.equal(Buffer.compare(await readFile(file), bytes), 0);
  });

  it('answers what Nomad sends: a GET without a range or a query, whatever it has', async () => {
    for (const headers of [{}, { 'user-agent': 'Nomad/1.10', 'accept-encoding': 'gzip', accept: '*/*' }] as const) {
      const answer = await door.call(path, { headers });
      const { headers: given } = answer;
      assert.deepEqual(
        [answer.status, given.get('content-length'), given.get('content-encoding'), given.get('etag'), given.get('accept-ranges')],
        [200, String(bytes.length), null, `"sha256:${sha256}"`, 'bytes'],
      );
      assert.equal(Buffer.compare(Buffer.from(await answer.arrayBuffer()), bytes), 0);
    }
  });

  it('resumes by its ETag, and says by it what a cache has', async () => {
    const headers = { range: 'bytes=100-199', 'if-range': `"sha256:${sha256}"` };
    const part = await door.call(path, { headers });
    assert.equal(part.status, 206);
    assert.deepEqual(Buffer.from(await part.arrayBuffer()), bytes.subarray(100, 200));
    assert.equal((await door.call(path, { headers: { 'if-none-match': `"sha256:${sha256}"` } })).status, 304);
    assert.equal((await door.call(path, { headers: { 'if-match': '"sha256:0"' } })).status, 412);
  });

  it('is the same under any name and none, asks for a token, and is nothing else', async () => {
    for (const other of [`/objects/sha256:${sha256}`, `/objects/sha256:${sha256}/other%20name`]) {
      const answer = await door.call(other, { method: 'HEAD' });
      assert.deepEqual([answer.status, answer.headers.get('content-length')], [200, String(bytes.length)]);
    }
    assert.equal((await fetch(`${door.url}${path}`)).status, 401);
    assert.equal((await door.call(`${path}/more`)).status, 404);
    assert.equal((await door.call(`/objects/sha256:${'0'.repeat(64)}/app.tar.gz`)).status, 404);
    for (const name of ['a%2Fb', '%00', '%C2%9B', 'a%5Cb', 'x'.repeat(256)])
      assert.equal((await door.call(`/objects/sha256:${sha256}/${name}`)).status, 400, name);
    assert.equal((await door.call(`/objects/sha256:${sha256}/${'x'.repeat(255)}`)).status, 200);
  });
});

async function isThere(program: string): Promise<boolean> {
  return await run(program, ['--version']).then(
    () => true,
    () => false,
  );
}

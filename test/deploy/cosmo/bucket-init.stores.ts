import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { type AddressInfo, connect, createServer as createTcpServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { startDirectoryStore, whyNo } from '../../stores/directory-store.ts';
import { minio, seaweedfs } from '../../stores/kinds.ts';

const scripts = join(import.meta.dirname, '../../../deploy/cosmo/scripts');
const hasCli = spawnSync('aws', ['--version']).status === 0;
const run = promisify(execFile);

interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** What goes to a store through this: the first line of each request, as it was sent. */
async function startListener(endpoint: string): Promise<{ readonly url: string; readonly lines: string[]; readonly server: Server }> {
  const { hostname, port } = new URL(endpoint);
  const lines: string[] = [];
  const server = createTcpServer((client) => {
    const store = connect(Number(port), hostname);
    client.on('data', (chunk: Buffer) => {
      for (const [, line = ''] of chunk.toString('latin1').matchAll(/^((?:GET|HEAD|PUT|POST|DELETE) \S+) HTTP\/1\.1\r$/gm))
        lines.push(line);
      store.write(chunk);
    });
    store.on('data', (chunk) => client.write(chunk));
    for (const [one, other] of [
      [client, store],
      [store, client],
    ] as const)
      one.on('close', () => other.destroy()).on('error', () => other.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, lines, server };
}

describe('the one-shot that makes the bucket', { skip: hasCli ? false : 'there is no AWS CLI here: pip install awscli' }, () => {
  const directory = mkdtempSync(join(tmpdir(), 'artifactstore-bucket-init-'));
  after(() => rmSync(directory, { recursive: true }));

  async function init(values: Record<string, string>): Promise<Ran> {
    const file = join(directory, 'artifacts.env');
    const all = { S3_REGION: 'auto', S3_FORCE_PATH_STYLE: 'true', COSMO_S3_BUCKET: 'cosmo', ...values };
    writeFileSync(
      file,
      Object.entries(all)
        .map(([name, value]) => `${name}=${value}\n`)
        .join(''),
    );
    return await run('sh', [join(scripts, 'with-env-file.sh'), file, 'sh', join(scripts, 'bucket-init.sh')], {
      env: { PATH: process.env.PATH ?? '', HOME: directory, BUCKET_INIT_ATTEMPTS: '1' },
    }).then(
      (output) => ({ code: 0, ...output }),
      ({ code, stdout, stderr }: Ran) => ({ code, stdout, stderr }),
    );
  }

  for (const kind of [minio, seaweedfs])
    test(`makes it in ${kind.name} once, only reads the second time, and tells keys that are wrong`, {
      skip: whyNo(kind) ?? false,
    }, async () => {
      await using store = await startDirectoryStore(kind);
      const { url, lines, server } = await startListener(store.url);
      try {
        const settings = {
          S3_ENDPOINT_URL: url,
          S3_ACCESS_KEY_ID: store.keys.accessKeyId,
          S3_SECRET_ACCESS_KEY: store.keys.secretAccessKey,
        };
        const first = await init(settings);
        assert.deepEqual(first, { code: 0, stdout: 'artifact-bucket-init: the bucket cosmo was made\n', stderr: '' });
        assert.ok(
          lines.some((line) => line === 'PUT /cosmo'),
          lines.join(),
        );
        lines.length = 0;
        const second = await init(settings);
        assert.deepEqual(second, { code: 0, stdout: 'artifact-bucket-init: the bucket cosmo is there: nothing was changed\n', stderr: '' });
        assert.deepEqual(lines, ['HEAD /cosmo']);
        const refused = await init({ ...settings, S3_SECRET_ACCESS_KEY: 'another-secret-key' });
        assert.equal(refused.code, 1);
        assert.match(refused.stdout, /refuses: the bucket cosmo is somebody else's, or the keys or the region auto are not the store's/);
        for (const { stdout, stderr } of [first, second, refused])
          assert.ok(!`${stdout}${stderr}`.includes(store.keys.secretAccessKey) && !`${stdout}${stderr}`.includes('another-secret'));
      } finally {
        server.close();
      }
    });

  test('says of a store that is not there, and of another service, that it does not answer', async () => {
    const keys = { S3_ACCESS_KEY_ID: 'abcdefgh', S3_SECRET_ACCESS_KEY: 'hush-hush-hush' };
    const nobody = await init({ ...keys, S3_ENDPOINT_URL: 'http://127.0.0.1:1' });
    assert.equal(nobody.code, 1);
    assert.match(nobody.stdout, /http:\/\/127\.0\.0\.1:1 does not answer: .*Could not connect/);
    await using page = createServer((_, response) => void response.writeHead(500).end('<html>'));
    await new Promise<void>((resolve) => page.listen(0, '127.0.0.1', resolve));
    const other = await init({ ...keys, S3_ENDPOINT_URL: `http://127.0.0.1:${(page.address() as AddressInfo).port}` });
    assert.match(other.stdout, /does not answer: .*\(500\)/);
    assert.ok(!`${nobody.stdout}${nobody.stderr}${other.stdout}${other.stderr}`.includes('hush'));
  });
});

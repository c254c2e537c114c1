import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { answering, freePort } from '../../../../cli/answering.ts';
import { openWorkplace } from '../../../../cli/workplace.ts';
import { send, sha256Of } from './client.ts';

/** A writer that was killed counts as one for 6 seconds. */
const retryDelays = [0, 500, 1_000, ...Array.from({ length: 40 }, () => 2_000)];

for (const parallelUploads of [1, 3])
  test(`tus-js-client finishes a file across a server that is killed and started again, ${parallelUploads} at a time`, async () => {
    using place = openWorkplace();
    const port = await freePort();
    const start = () => place.start('serve', '--port', String(port));
    let server = start();
    const url = await answering(port);
    const headers = { authorization: 'Bearer cli-test-token' };
    const made = await fetch(`${url}/packages`, {
      method: 'POST',
      headers: { ...headers, 'content-type': 'application/json' },
      body: JSON.stringify({ name: 'n', producer: 'p', subject: 's', retention_class: 'transient' }),
    });
    const { id } = (await made.json()) as { readonly id: string };
    const bytes = Buffer.alloc(24_000_000, 'across a kill ');
    let kills = 0;
    let killing: Promise<unknown> = Promise.resolve();
    await send(bytes, {
      endpoint: `${url}/uploads`,
      headers,
      retryDelays,
      parallelUploads,
      chunkSize: 2_000_000,
      metadata: { package_id: id, relative_path: 'killed' },
      onProgress(sent) {
        if (kills > Math.floor((3 * sent) / bytes.length) || kills >= 2 || sent < 3_000_000) return;
        kills += 1;
        const ended = once(server, 'exit');
        server.kill('SIGKILL');
        killing = ended.then(() => {
          server = start();
        });
      },
    });
    await killing;
    assert.ok(kills >= 1);
    const read = await fetch(`${url}/packages/${id}/files/killed`, { headers });
    assert.equal(sha256Of(new Uint8Array(await read.arrayBuffer())), sha256Of(bytes));
    const ended = once(server, 'exit');
    server.kill('SIGTERM');
    await ended;
  });

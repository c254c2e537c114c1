import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openWorkplace } from '../workplace.ts';

test('uploads are listed and abandoned beside a server, whoever began them', async () => {
  using place = openWorkplace();
  const { url } = await place.serve('serve', '--port', '0');
  assert.match((await place.run('uploads', 'list')).stderr, /^no open uploads$/m);
  const ask = async (path: string, method: string, body?: string): Promise<Response> =>
    await fetch(`${url}${path}`, {
      method,
      headers: { authorization: 'Bearer cli-test-token', ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
      ...(body === undefined ? {} : { body }),
    });
  const begin = async (): Promise<string> =>
    ((await (await ask('/uploads', 'POST', '{"expected_size_bytes":2048}')).json()) as { readonly id: string }).id;
  const [first, second] = [await begin(), await begin()];
  const { stdout } = await place.run('uploads', 'list');
  assert.match(stdout, new RegExp(`^${first} +tester +\\S+ +\\S+ +\\S+ +0 B of 2.0 KiB +-$`, 'm'));
  const page = await place.json<{ items: readonly { id: string }[]; next_cursor: string }>('uploads', 'list', '--limit', '1');
  assert.deepEqual(
    page.items.map(({ id }) => id),
    [first],
  );
  const rest = await place.json<{ items: readonly { id: string }[] }>('uploads', 'list', '--cursor', page.next_cursor);
  assert.deepEqual(
    rest.items.map(({ id }) => id),
    [second],
  );
  assert.deepEqual(await place.json('uploads', 'abandon', first), { upload_id: first, state: 'abandoned' });
  assert.equal((await ask(`/uploads/${first}`, 'GET')).status, 404);
  assert.equal((await ask(`/uploads/${second}`, 'GET')).status, 200);
  assert.equal((await place.run('uploads', 'abandon', 'x')).code, 2);
  const none = await place.run('uploads', 'abandon', '01890000-0000-7000-8000-000000000000');
  assert.equal(none.code, 3);
  assert.match(none.stderr, /upload_not_found/);
});

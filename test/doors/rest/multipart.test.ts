import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { assertProblem, authorization, type Door, drain, openDoor, until } from './open-door.ts';

let door: Door;
let id: string;
before(async () => {
  door = await openDoor({ limits: { filesPerRequest: 400 } });
  ({ id } = await door.newPackage());
});
after(() => door[Symbol.asyncDispose]());

const boundary = 'a-boundary';
const type = `multipart/form-data; boundary=${boundary}`;
const part = (filename: string, body: string, more = '') =>
  `--${boundary}\r\nContent-Disposition: form-data; name="file"; filename="${filename}"\r\n${more}\r\n${body}\r\n`;
const field = (name: string, value: string) => `--${boundary}\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`;
const end = `--${boundary}--\r\n`;
const post = (body: string | Uint8Array<ArrayBuffer>, contentType = type) =>
  door.call(`/packages/${id}/files`, { method: 'POST', headers: { 'content-type': contentType }, body });

interface Items {
  readonly items: readonly {
    readonly relative_path: string;
    readonly media_type: string;
    readonly size_bytes: number;
    readonly annotations: object;
  }[];
}

async function changesNothing(work: () => Promise<void>): Promise<void> {
  const before = await door.lastSequence();
  await work();
  assert.equal(await door.lastSequence(), before);
}

test('takes files in order, paths whole, types and annotations', async () => {
  const form = new FormData();
  form.set('annotations', JSON.stringify({ 'bin/run': { mode: 'executable' } }));
  form.append('x', new File(['#!'], 'bin/run', { type: 'text/x-shellscript' }));
  form.append('y', new File([], 'empty'));
  form.append('x', new File(['ü'], 'dir/ü 😀 %41;=.txt', { type: 'text/plain' }));
  form.append('z', new File([new Uint8Array(3_000_000)], 'big'));
  const response = await door.call(`/packages/${id}/files`, { method: 'POST', body: form });
  assert.equal(response.status, 201);
  const { items } = (await response.json()) as Items;
  assert.deepEqual(
    items.map(({ relative_path, size_bytes, annotations }) => [relative_path, size_bytes, annotations]),
    [
      ['bin/run', 2, { mode: 'executable' }],
      ['empty', 0, {}],
      ['dir/ü 😀 %41;=.txt', 2, {}],
      ['big', 3_000_000, {}],
    ],
  );
  assert.equal(items[0]!.media_type, 'text/x-shellscript');
  await changesNothing(async () => {
    const again = await door.call(`/packages/${id}/files`, { method: 'POST', body: form });
    assert.deepEqual(await again.json(), { items, existing: items.map(({ relative_path }) => relative_path) });
  });
});

test('takes many small files, and refuses none', async () => {
  const many = Array.from({ length: 400 }, (_, index) => part(`many/${index}`, `${index}`)).join('') + end;
  const response = await post(many);
  assert.equal(response.status, 201);
  const { items } = (await response.json()) as Items;
  assert.deepEqual(
    items.map(({ relative_path }) => relative_path),
    Array.from({ length: 400 }, (_, index) => `many/${index}`),
  );
  await changesNothing(async () => void (await assertProblem(await post(end), 400, 'malformed_multipart')));
});

test('takes as many files as its bound says, and of more none, and says what to do', async () => {
  const many = Array.from({ length: 401 }, (_, index) => part(`more/${index}`, `${index}`)).join('') + end;
  await changesNothing(async () => {
    const { detail, info } = await assertProblem(await post(many), 422, 'too_many_files');
    assert.match(String(detail), /more than 400 files.*none was added.*several requests/);
    assert.deepEqual(info, { bound: 'files_per_request', limit: 400, variable: 'ARTIFACTSTORE_MAX_FILES_PER_REQUEST' });
  });
  assert.match(await (await door.call('/metrics')).text(), /^artifactstore_http_limits_total\{limit="files_per_request"\} 1$/m);
});

test('all or nothing: one bad part refuses them all', async () => {
  const good = part('fine', 'fine');
  const cases: readonly (readonly [body: string, status: number, code: string])[] = [
    [good + part('fine', 'fine') + end, 400, 'malformed_multipart'],
    [good + part('', 'x') + end, 400, 'malformed_multipart'],
    [good + field('other', 'x') + end, 400, 'malformed_multipart'],
    [good + field('annotations', '{}') + end, 400, 'malformed_multipart'],
    [field('annotations', '{"fine":{"a":"b"}}') + field('annotations', '{"fine":{"a":"b"}}') + good + end, 400, 'malformed_multipart'],
    [field('annotations', '[]') + good + end, 400, 'malformed_multipart'],
    [field('annotations', '{"fine":{"a":1}}') + good + end, 400, 'malformed_multipart'],
    [field('annotations', '{"fine":{},"fine":{}}') + good + end, 400, 'malformed_json'],
    [field('annotations', '{"another":{"a":"b"}}') + good + end, 400, 'malformed_multipart'],
    [good + part('../up', 'x') + end, 400, 'invalid_path'],
    [good + part('/abs', 'x') + end, 400, 'invalid_path'],
    [good + part('a//b', 'x') + end, 400, 'invalid_path'],
    [good + part('big', 'other bytes') + end, 409, 'path_conflict'],
    [good, 400, 'malformed_multipart'],
    [good + part('cut', 'x').slice(0, -2), 400, 'malformed_multipart'],
    [`${good}--${boundary}\r\nContent-Disposition: form-data; name="file"; filename="cut`, 400, 'malformed_multipart'],
    [`${good}--${boundary}`, 400, 'malformed_multipart'],
    ['', 400, 'malformed_multipart'],
    ['nonsense', 400, 'malformed_multipart'],
    [part('fine', 'fine').replaceAll(boundary, 'another') + end.replace(boundary, 'another'), 400, 'malformed_multipart'],
  ];
  for (const [body, status, code] of cases)
    await changesNothing(async () => {
      const response = await post(body);
      const text = await response.text();
      assert.equal((JSON.parse(text) as { code: string }).code, code, `${body}\n${text}`);
      assert.equal(response.status, status, body);
    });
  assert.equal(await door.registry.files.find(id, 'fine'), undefined);
});

test('what is not UTF-8 or coded is refused, by its part, and never rewritten', async () => {
  const latin1 = (text: string) => new Uint8Array(Buffer.from(text, 'latin1'));
  const coded = (header: string) => part('fine', 'fine') + part('coded', 'aGVsbG8=', `${header}\r\n`) + end;
  await changesNothing(async () => {
    const names = await assertProblem(await post(latin1(part('fine', 'a') + part('caf\xe9', 'b') + end)), 400, 'malformed_multipart');
    assert.match(String(names.detail), /part 2/);
    assert.match(String(names.detail), /caf\\xe9/);
    const star = part('x', 'a').replace('filename="x"', "filename*=iso-8859-1''caf%e9");
    await assertProblem(await post(star + end), 400, 'malformed_multipart');
    const untitled = await assertProblem(
      await post(latin1(field('annotations', '{"x":{"title":"caf\xe9"}}') + part('x', 'a') + end)),
      400,
      'malformed_json',
    );
    assert.match(String(untitled.detail), /annotations \(part 1 .*not UTF-8/);
    const charset = field('annotations', '{}').replace('\r\n\r\n', '\r\nContent-Type: application/json; charset=latin1\r\n\r\n');
    await assertProblem(await post(charset + part('x', 'a') + end), 415, 'unsupported_media_type');
    for (const header of ['Content-Transfer-Encoding: base64', 'Content-Transfer-Encoding: Quoted-Printable', 'Content-Encoding: gzip']) {
      const problem = await assertProblem(await post(coded(header)), 415, 'unsupported_media_type');
      assert.match(String(problem.detail), /part 2/);
    }
    await assertProblem(await post(coded('Content-MD5: AAAAAAAAAAAAAAAAAAAAAA==')), 400, 'digest_mismatch');
    await assertProblem(await post(coded('Content-Length: 7')), 400, 'length_mismatch');
    // A part that says nothing of what it is was passed over once.
    for (const head of ['', 'Content-Type: text/plain\r\n', 'Content-Disposition: attachment; filename="a"\r\n'])
      await assertProblem(await post(`${part('fine', 'fine')}--${boundary}\r\n${head}\r\nlost\r\n${end}`), 400, 'malformed_multipart');
  });
  for (const [index, coding] of ['identity', 'binary', '7bit', '8BIT'].entries()) {
    const body = part(`plain ${index}`, 'a', `Content-Transfer-Encoding: ${coding}\r\nContent-Type: text/x; charset=latin1\r\n`) + end;
    const { items } = (await (await post(body)).json()) as Items;
    assert.equal(items[0]!.media_type, 'text/x; charset=latin1');
  }
  const extended = part('ignored', 'a').replace('filename="ignored"', 'filename="x"; filename*=UTF-8\'\'caf%c3%a9%20%22q%22');
  assert.equal(((await (await post(extended + end)).json()) as Items).items[0]!.relative_path, 'café "q"');
});

test('bytes that look like a boundary, and a boundary that is cut anywhere, change nothing', async () => {
  const bytes = `\r\n--${boundary.slice(0, -1)}\r\n--\r\r\n-${boundary}\r\n--`;
  const whole = Buffer.from(`preamble\r\n${part('tricky', bytes)}${part('second', '')}--${boundary}-- \r\nepilogue`);
  for (const step of [1, 2, 7, 31]) {
    const { id: other } = await door.newPackage();
    const socket = await door.connect();
    socket.setNoDelay(true);
    const head = `POST /packages/${other}/files HTTP/1.1\r\nhost: x\r\nauthorization: ${authorization}\r\ncontent-type: ${type}\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n`;
    const pieces = Array.from({ length: Math.ceil(whole.length / step) }, (_, index) => whole.subarray(index * step, (index + 1) * step));
    socket.write(
      Buffer.concat([
        Buffer.from(head),
        ...pieces.flatMap((piece) => [Buffer.from(`${piece.length.toString(16)}\r\n`), piece, Buffer.from('\r\n')]),
        Buffer.from('0\r\n\r\n'),
      ]),
    );
    assert.match(await drain(socket), /^HTTP\/1\.1 201 /);
    const opened = await door.registry.files.open({ package_id: other, relative_path: 'tricky' });
    assert.equal(Buffer.concat(await Array.fromAsync(opened!.body)).toString(), bytes);
    assert.equal((await door.registry.files.find(other, 'second'))!.size_bytes, 0);
  }
});

test('a content type without a boundary is refused', async () => {
  await changesNothing(async () => {
    await assertProblem(await post(part('a', 'a') + end, 'multipart/form-data'), 400, 'malformed_multipart');
  });
});

test('a sender that goes away leaves nothing, and the server goes on', async () => {
  await changesNothing(async () => {
    const body = part('one', 'one') + part('two', 'x'.repeat(2_000_000));
    for (const cut of [body.length - 1_000_000, 120, part('one', 'one').length + 20]) {
      const seen = door.lines.length;
      const socket = await door.connect();
      socket.on('error', () => {});
      const head = `POST /packages/${id}/files HTTP/1.1\r\nhost: x\r\nauthorization: ${authorization}\r\ncontent-type: ${type}\r\ncontent-length: ${body.length}\r\n\r\n`;
      await new Promise((resolve) => socket.write(head + body.slice(0, cut), resolve));
      socket.destroy();
      await drain(socket);
      await until(() => door.lines.slice(seen).some((line) => line.includes('"msg":"request"')));
    }
  });
  assert.equal((await post(part('after', 'after') + end)).status, 201);
});

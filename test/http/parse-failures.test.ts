import assert from 'node:assert/strict';
import { test } from 'node:test';
import { authorization, openDoor } from '../doors/rest/open-door.ts';

const get = (target: string, more = ''): string => `GET ${target} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n${more}\r\n`;
const post = (path: string, more: string, body: string): string =>
  `POST ${path} HTTP/1.1\r\nhost: x\r\nauthorization: ${authorization}\r\n${more}\r\n${body}`;
const json = 'content-type: application/json\r\n';
const chunked = `${json}transfer-encoding: chunked\r\n`;

const odd: readonly (readonly [text: string, status: number, code: string])[] = [
  ['GET /nowhere HTTP/1.0\r\n\r\n', 404, 'route_not_found'],
  ['GET /livez\r\n\r\n', 400, 'invalid_header'],
  [get('https://a.example/nowhere'), 404, 'route_not_found'],
  [get('ftp://a.example/livez'), 400, 'malformed_request'],
  [get('*'), 400, 'malformed_request'],
  ['OPTIONS * HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n', 400, 'malformed_request'],
  [get('livez'), 400, 'malformed_request'],
  ['CONNECT a.example:443 HTTP/1.1\r\nhost: a.example:443\r\n\r\n', 400, 'malformed_request'],
  ['CONNECT /livez HTTP/1.1\r\nhost: x\r\n\r\n', 400, 'malformed_request'],
  ['TRACE /livez HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n', 405, 'method_not_allowed'],
  ['NONE /livez HTTP/1.1\r\nhost: x\r\n\r\n', 400, 'malformed_request'],
  ['GET /nowhere HTTP/1.1\r\nhost: x\r\nconnection: upgrade, close\r\nupgrade: websocket\r\n\r\n', 404, 'route_not_found'],
  [get('/nowhere', 'expect: tea\r\n'), 404, 'route_not_found'],
  [get('/livez', 'expect: tea\r\n'), 417, 'expectation_failed'],
  [get('/packages/%zz'), 400, 'invalid_path'],
  [get('/packages/ü'), 400, 'malformed_request'],
  [get('/packages/a b'), 400, 'malformed_request'],
  [get(`/${'x'.repeat(9000)}`), 431, 'headers_too_large'],
  [get('/livez', `a: ${'x'.repeat(9000)}\r\n`), 431, 'headers_too_large'],
  [post('/packages', chunked, 'zz\r\n{}\r\n0\r\n\r\n'), 400, 'malformed_request'],
  [post('/packages', chunked, '2\r\n{}\r\nzz\r\n'), 400, 'malformed_request'],
  [post('/packages', chunked, `2\r\n{}\r\n0\r\na: ${'x'.repeat(9000)}\r\n\r\n`), 431, 'headers_too_large'],
  [post('/packages', `${chunked}content-length: 2\r\n`, '2\r\n{}\r\n0\r\n\r\n'), 400, 'malformed_request'],
  ['GET /livez HTTP/1.1\r\nhost: x\r\n', 408, 'request_timeout'],
  [post('/packages', `${json}content-length: 10\r\n`, '{'), 408, 'request_timeout'],
];

test('whatever is refused is refused with a problem whose id is in the log', async () => {
  await using door = await openDoor({ limits: { headerBytes: 8192 } });
  // A machine that is busy takes longer than that for what has come whole.
  const impatient = { headerBytes: 8192, headersTimeout: 100, headersCheckInterval: 20, idleTimeout: 100 };
  await using hurried = await openDoor({ limits: impatient });
  const answers = await Promise.all(odd.map(([text, status]) => (status === 408 ? hurried : door).raw(text)));
  for (const [index, [text, status, code]] of odd.entries()) {
    const answer = answers[index]!;
    const { lines } = status === 408 ? hurried : door;
    const about = `${JSON.stringify(text.slice(0, 80))} was answered\n${answer.slice(0, 400)}`;
    assert.match(answer, new RegExp(`^HTTP/1\\.1 ${status} [^]*\r\ncontent-type: application/problem\\+json\r\n`), about);
    const [, id] = /\r\nx-request-id: (\S+)\r\n/.exec(answer) ?? [];
    assert.ok(answer.includes(`"code":"${code}"`) && answer.includes(`"request_id":"${id}"`), about);
    assert.ok(
      lines.some((line) => line.includes(`"request_id":"${id}"`)),
      about,
    );
  }
});

test('nonsense behind a request takes neither the place of its answer nor a place in it', async () => {
  await using door = await openDoor();
  const list = `GET /packages HTTP/1.1\r\nhost: x\r\nauthorization: ${authorization}\r\n\r\n`;
  assert.match(
    await door.raw(`${list}${list}nonsense\r\n\r\n`),
    /^HTTP\/1\.1 200 [\s\S]*\}HTTP\/1\.1 200 [\s\S]*\}HTTP\/1\.1 400 [\s\S]*\}$/,
  );
});

test('a client that resets its connection asked for nothing that could be misunderstood', async () => {
  await using door = await openDoor();
  const socket = await door.connect();
  const answered = new Promise((resolve) => socket.once('data', resolve));
  socket.write('GET /livez HTTP/1.1\r\nhost: x\r\n\r\n');
  await answered;
  const gone = new Promise((resolve) => socket.once('close', resolve));
  socket.resetAndDestroy();
  await gone;
  // Behind it: the server has seen the reset.
  await fetch(`${door.url}/livez`);
  await door.door.close();
  assert.deepEqual(
    door.lines.filter((line) => line.includes('not understood')),
    [],
  );
});

import assert from 'node:assert/strict';
import { connect, type Socket } from 'node:net';
import { after, test } from 'node:test';
import { createRestDoor } from '../../src/doors/rest/door.ts';
import { createHealthReader } from '../../src/doors/rest/health.ts';
import { createEngine } from '../../src/http/engine.ts';
import { createLog } from '../../src/http/log.ts';
import { openIdentity } from '../../src/identity/open.ts';
import { drain, token, until } from '../doors/rest/open-door.ts';
import { openTestRegistry } from '../registry/open-registry.ts';
import { basic, basicOf, createXmlDoor } from './xml-door.ts';

const lines: string[] = [];
const store = await openTestRegistry();
const release = Promise.withResolvers<void>();
const engine = createEngine({
  log: createLog({ level: 'debug', stream: { write: (line: string) => void lines.push(line) } }),
  secrets: [token],
  allowedHosts: ['x'],
  limits: {
    connections: 8,
    requestsOfOne: 3,
    streamsOfOne: 2,
    jsonBytes: 4_000,
    bufferedBytes: 32_000,
    bufferedWait: 50,
    waitingRequests: 3,
  },
});
const { register } = engine.context.metrics;
const rest = createRestDoor(
  {
    ...engine.context,
    health: createHealthReader(store.as('health'), '0.0.0-test', { status: () => undefined }),
    version: '0.0.0-test',
    renderMetrics: () => register.metrics(),
  },
  { identity: await openIdentity({ tokens: [{ token, actor: 'tester' }] }), anonymousRead: false, registryFor: store.as },
);
await engine.mount([rest, createXmlDoor(engine.context, release.promise)]);
const url = await engine.listen('127.0.0.1', 0);

after(async () => {
  release.resolve();
  await engine.close();
  await store.close();
});

const head = 'Host: x\r\nConnection: close\r\n';
const bearer = `${head}Authorization: Bearer ${token}\r\n`;
const own = `${head}Authorization: ${basic}\r\n`;

async function open(): Promise<Socket> {
  const socket = connect({ port: Number(new URL(url).port), host: '127.0.0.1' });
  await new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject));
  return socket;
}

async function say(text: string): Promise<string> {
  const socket = await open();
  socket.write(text);
  return await drain(socket);
}

/** The answer is this door's refusal, whole, with the id of the request. */
function assertXml(answer: string, status: number, code: string): void {
  assert.match(answer, new RegExp(`^HTTP/1.1 ${status} `));
  assert.match(answer, /^content-type: application\/xml/im);
  const id = /^x-request-id: (.*)\r$/im.exec(answer)?.[1];
  assert.match(answer, new RegExp(`<Error><Code>${code}</Code><Message>[^<]+</Message><RequestId>${id}</RequestId></Error>`));
}

/** The answer is a problem, which is the form of the other door. */
function assertProblem(answer: string, status: number, code: string): void {
  assert.match(answer, new RegExp(`^HTTP/1.1 ${status} `));
  assert.match(answer, /^content-type: application\/problem\+json\r$/im);
  assert.match(answer, new RegExp(`"code":"${code}"`));
}

async function inFlight(count: number): Promise<void> {
  const patience = performance.now() + 60_000;
  while (!new RegExp(`requests_in_flight ${count}$`, 'm').test(await register.metrics())) {
    assert.ok(performance.now() < patience, `${count} requests are expected in flight`);
    await new Promise(setImmediate);
  }
}

const timesMet = async (limit: string): Promise<number> =>
  Number(new RegExp(`limits_total\\{limit="${limit}"\\} (\\d+)`).exec(await register.metrics())?.[1]);

test('each door answers what it has, and refuses in its own form', async () => {
  assert.match(await say(`GET /xml/hello HTTP/1.1\r\n${own}\r\n`), /^HTTP\/1.1 200 [\s\S]*<Hello\/>$/);
  assert.match(await say(`PUT /xml/bytes/a/b HTTP/1.1\r\n${own}Content-Length: 5\r\n\r\nbytes`), /^HTTP\/1.1 201 [\s\S]*<Length>5</);
  for (const path of ['/xml/nothing', '/xml', '/xml/', '/xml/hello/there', '/xml/packages'])
    assertXml(await say(`GET ${path} HTTP/1.1\r\n${own}\r\n`), 404, 'route_not_found');
  for (const path of ['/nothing', '/xmlish', '/hello', '/XML/hello'])
    assertProblem(await say(`GET ${path} HTTP/1.1\r\n${head}\r\n`), 404, 'route_not_found');
  const method = await say(`DELETE /xml/hello HTTP/1.1\r\n${own}\r\n`);
  assertXml(method, 405, 'method_not_allowed');
  assert.match(method, /^allow: GET, HEAD\r$/im);
  const broken = await say(`GET /xml/broken HTTP/1.1\r\n${own}\r\n`);
  assertXml(broken, 500, 'internal');
  assert.doesNotMatch(broken, /secret/);
  assertXml(await say(`GET /xml/hello HTTP/1.1\r\nHost: elsewhere\r\nConnection: close\r\n\r\n`), 403, 'forbidden');
});

test('each door has its own challenge, and its own way to know who asks', async () => {
  for (const fields of [head, bearer]) {
    const answer = await say(`GET /xml/hello HTTP/1.1\r\n${fields}\r\n`);
    assertXml(answer, 401, 'unauthorized');
    assert.match(answer, /^www-authenticate: Basic realm="xml"\r$/im);
  }
  const problem = await say(`GET /packages HTTP/1.1\r\n${own}\r\n`);
  assertProblem(problem, 401, 'unauthorized');
  assert.match(problem, /^www-authenticate: Bearer realm="artifactstore"\r$/im);
  assert.match(await say(`GET /packages HTTP/1.1\r\n${bearer}\r\n`), /^HTTP\/1.1 200 /);
});

test('bodies are held to the same bounds, by the length, the type and the memory', async () => {
  const post = (fields: string, body: string) => say(`POST /xml/json HTTP/1.1\r\n${own}${fields}\r\n${body}`);
  const json = 'Content-Type: application/json\r\n';
  const words = (count: number) => JSON.stringify({ words: Array.from({ length: count }, () => 'w') });
  const sized = (text: string) => `${json}Content-Length: ${text.length}\r\n`;
  assert.match(await post(sized(words(2)), words(2)), /<Words>2</);
  assertXml(await post(sized(words(3)), words(3)), 413, 'body_too_large');
  assert.equal(await timesMet('xml_words'), 1, 'a limit of its own is counted');
  assertXml(await post(`${json}Content-Length: 4001\r\n`, ''), 413, 'body_too_large');
  assert.equal(await timesMet('json_bytes'), 1);
  assertXml(await post(`${json}Content-Length: 3000\r\n`, ''), 413, 'body_too_large');
  assert.equal(await timesMet('buffered_bytes'), 1, 'half of the memory is less than four times the body');
  assertXml(await post('Content-Type: text/xml\r\nContent-Length: 1\r\n', 'x'), 415, 'unsupported_media_type');
});

test('what its callers have open counts, together with what they have at the other door', async () => {
  const before = await timesMet('requests_of_one');
  const waiting = await Promise.all([open(), open(), open()]);
  for (const socket of waiting.slice(0, 2)) socket.write(`GET /xml/wait HTTP/1.1\r\n${own}\r\n`);
  await inFlight(2);
  const third = await say(`PUT /xml/bytes/c HTTP/1.1\r\n${own}Content-Length: 5\r\n\r\nbytes`);
  assertXml(third, 503, 'too_busy');
  assert.match(third, /^retry-after: 1\r$/im);
  assert.equal(await timesMet('streams_of_one'), 1);
  waiting[2]!.write(`GET /xml/slow HTTP/1.1\r\n${own}\r\n`);
  await inFlight(3);
  assertXml(await say(`GET /xml/hello HTTP/1.1\r\n${own}\r\n`), 503, 'too_busy');
  assertProblem(await say(`GET /packages HTTP/1.1\r\n${bearer}\r\n`), 503, 'too_busy');
  assert.match(await say(`GET /livez HTTP/1.1\r\n${head}\r\n`), /^HTTP\/1.1 200 /);
  assert.equal((await timesMet('requests_of_one')) - before, 2);
  for (const socket of waiting) socket.destroy();
  await inFlight(0);
  assert.match(await say(`GET /xml/hello HTTP/1.1\r\n${own}\r\n`), /^HTTP\/1.1 200 /);
});

test('a connection gets its answers in turns, and one that sends too far ahead is reset', async () => {
  const ask = (path: string, more = '') => `GET ${path} HTTP/1.1\r\nHost: x\r\nAuthorization: ${basic}\r\n${more}\r\n`;
  const both = await say(ask('/xml/hello') + ask('/livez') + ask('/xml/nothing', 'Connection: close\r\n'));
  assert.deepEqual(
    [...both.matchAll(/HTTP\/1.1 (\d+)/g)].map(([, status]) => status),
    ['200', '200', '404'],
  );
  assert.equal(await say(ask('/xml/slow').repeat(5)), '');
  assert.equal(await timesMet('waiting_requests'), 1);
  await inFlight(0);
});

test('what reaches no door is answered in the form of the one with the empty path', async () => {
  for (const [request, status, code] of [
    ['GET /xml/hello HTTP/1.1\r\nBad Name: x\r\n\r\n', 400, 'malformed_request'],
    [`GET /xml/%ff HTTP/1.1\r\n${own}\r\n`, 400, 'invalid_path'],
    [`GET /xml/hello HTTP/1.1\r\n${own}Long: ${'x'.repeat(40_000)}\r\n\r\n`, 431, 'headers_too_large'],
  ] as const)
    assertProblem(await say(request), status, code);
  const taken = await Promise.all(Array.from({ length: 8 }, open));
  for (const [index, socket] of taken.entries())
    socket.write(`GET /xml/slow HTTP/1.1\r\n${head}Authorization: ${basicOf(`one of ${index}`)}\r\n\r\n`);
  await inFlight(8);
  const beyond = await say(`GET /xml/hello HTTP/1.1\r\n${own}\r\n`);
  assertProblem(beyond, 503, 'too_busy');
  assert.match(beyond, /"bound":"connections"/);
  for (const socket of taken) socket.destroy();
  await inFlight(0);
});

test('the log and the metrics know its routes and its actors', async () => {
  const line = await until(() =>
    lines.map((each) => JSON.parse(each)).find(({ route, status }) => route === '/xml/hello' && status === 200),
  );
  assert.deepEqual([line.actor, line.method, line.path], ['tester', 'GET', '/xml/hello']);
  assert.match(await register.metrics(), /requests_total\{route="\/xml\/bytes\/\*",method="PUT",status="201"\} 1/);
  assert.ok(!Object.keys(rest.describe().paths as object).some((path) => path.startsWith('/xml')));
});

test('an engine without a door for everything else is not opened', async () => {
  const other = createEngine({
    log: createLog({ level: 'silent', stream: { write: () => undefined } }),
    secrets: [],
  });
  await assert.rejects(other.mount([createXmlDoor(other.context, release.promise)]), /No door has the empty path/);
  await other.close();
});

import type { Attack } from './attacker.ts';

/** Requests that no honest client makes, and the statuses that each may get. The connection may also be closed. */
const malformed: Readonly<Record<string, readonly [text: string, ...statuses: readonly number[]]>> = {
  'two Hosts': ['GET /livez HTTP/1.1\r\nhost: localhost\r\nhost: b\r\n\r\n', 400],
  'no Host': ['GET /livez HTTP/1.1\r\n\r\n', 400],
  QUERY: ['QUERY /packages HTTP/1.1\r\nhost: localhost\r\ncontent-length: 0\r\n\r\n', 405],
  'another Expect': ['GET /livez HTTP/1.1\r\nhost: localhost\r\nexpect: tea\r\n\r\n', 417],
  'a length and chunks': [
    'POST /packages HTTP/1.1\r\nhost: localhost\r\ncontent-length: 6\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\nGET /livez HTTP/1.1\r\nhost: localhost\r\n\r\n',
    400,
  ],
  'two lengths': ['POST /packages HTTP/1.1\r\nhost: localhost\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nGET /l', 400],
  'a length with a sign': ['POST /packages HTTP/1.1\r\nhost: localhost\r\ncontent-length: +5\r\n\r\nhello', 400],
  'chunks, named oddly': [
    'POST /packages HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: xchunked\r\n\r\n0\r\n\r\nGET /livez HTTP/1.1\r\nhost: localhost\r\n\r\n',
    400,
    415,
  ],
  'chunks twice': ['POST /packages HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked, chunked\r\n\r\n0\r\n\r\n', 400, 415],
  'a chunk of an odd length': [
    'POST /packages HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n-1\r\nx\r\n0\r\n\r\n',
    400,
    401,
  ],
  'a line feed alone': ['GET /livez HTTP/1.1\nhost: localhost\n\nGET /livez HTTP/1.1\nhost: localhost\n\n', 400],
  'a folded header': ['GET /livez HTTP/1.1\r\nhost: localhost\r\nx-a: b\r\n c\r\n\r\n', 400, 200],
  'a space before the colon': ['GET /livez HTTP/1.1\r\nhost: localhost\r\ncontent-length : 5\r\n\r\nhello', 400],
  'a null in a header': ['GET /livez HTTP/1.1\r\nhost: localhost\r\nx-a: \0\r\n\r\n', 400],
  'headers too large': [`GET /livez HTTP/1.1\r\nhost: localhost\r\nx-a: ${'x'.repeat(70_000)}\r\n\r\n`, 431],
  'thousands of headers': [`GET /livez HTTP/1.1\r\nhost: localhost\r\n${'a: b\r\n'.repeat(6000)}\r\n`, 200, 431],
  'a URL as long as may be': [`GET /packages/${'x'.repeat(70_000)} HTTP/1.1\r\nhost: localhost\r\n\r\n`, 431],
  'another protocol': ['PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 400],
  'no HTTP': ['\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', 400],
  'a proxy wish': ['CONNECT example.org:443 HTTP/1.1\r\nhost: example.org\r\n\r\n', 400, 404, 405],
  'an upgrade': ['GET /livez HTTP/1.1\r\nhost: localhost\r\nconnection: upgrade\r\nupgrade: h2c\r\n\r\n', 200, 400],
  'another host in the target': ['GET http://example.org/livez HTTP/1.1\r\nhost: localhost\r\n\r\n', 200, 400],
  'a path with %00': ['GET /packages/%00 HTTP/1.1\r\nhost: localhost\r\n\r\n', 400, 404],
  'a path that is not UTF-8': ['GET /packages/%ff%fe HTTP/1.1\r\nhost: localhost\r\n\r\n', 400, 404],
  'a path that climbs': ['GET /docs/static/../../../../../../etc/passwd HTTP/1.1\r\nhost: localhost\r\n\r\n', 400, 404],
  'a path that climbs, escaped': ['GET /docs/static/%2e%2e/%2e%2e%2fpackage.json HTTP/1.1\r\nhost: localhost\r\n\r\n', 400, 404],
  'a file of the docs that is not there': ['GET /docs/static/nope.js HTTP/1.1\r\nhost: localhost\r\n\r\n', 404],
  'a range without end': [`GET /docs/ HTTP/1.1\r\nhost: localhost\r\nrange: bytes=${'0-1,'.repeat(5000)}\r\n\r\n`, 200, 206, 400, 416],
  'an answer in a header': ['GET /livez HTTP/1.1\r\nhost: localhost\r\nx-request-id: a%0d%0aset-cookie:b\r\n\r\n', 200],
};

const files = [
  '../../etc/passwd',
  '%2e%2e/%2e%2e/x',
  'a/../../x',
  'a%2f..%2fx',
  'a%00b',
  '%5c..%5cx',
  'a//b',
  `${'x/'.repeat(600)}x`,
  '%c0%ae',
];

const queries = [
  '/packages?cursor=AAAA',
  `/packages?cursor=${Buffer.from('{"v":1,"k":[1.5,"x"]}').toString('base64url')}`,
  `/packages?cursor=${'A'.repeat(20_000)}`,
  '/packages?producer=%00',
  '/packages?metadata.k=%00',
  `/packages?${Array.from({ length: 501 }, (_, index) => `metadata.k${index}=1`).join('&')}`,
  '/packages?limit=1e3',
  '/packages?limit=99999999999999999999',
  '/packages?created_after=0000-00-00T00:00:00Z',
  '/files?digest=sha256:%00',
  '/events?since=1.5',
  '/events?since=9007199254740993',
  '/events?subject_id=%00',
  `/packages?${'a=1&'.repeat(6000)}`,
];

/** What parsers are attacked with. */
export const byForm: Readonly<Record<string, Attack>> = {
  'requests that are none': async ({ talk, fault, pause, signal }) => {
    for (const [name, [text, ...statuses]] of Object.entries(malformed)) {
      if (signal.aborted) return;
      const said = await talk(text, 1000);
      const first = /^HTTP\/1\.1 (\d{3})/.exec(said)?.[1];
      if (first !== undefined && first !== '503' && !statuses.includes(Number(first))) fault(`${name} was answered ${said.slice(0, 300)}`);
      if (said.match(/^HTTP\/1\.1 /gm)?.length === 2) fault(`${name} was two requests: ${said.slice(0, 600)}`);
      await pause(10);
    }
  },
  'paths that climb': async ({ call, talk, token, fault }) => {
    const { body } = await call('POST', '/packages', { name: 'n', producer: 'attack', subject: 's', retention_class: 'transient' });
    for (const path of files) {
      const put = `PUT /packages/${body.id}/files/${path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\nauthorization: Bearer ${token}\r\ncontent-length: 1\r\n\r\nx`;
      const said = await talk(put);
      if (/^HTTP\/1\.1 2/.test(said)) fault(`${path} was taken`);
    }
  },
  'a token in a path': async ({ call, token }) => {
    await call('GET', `/packages/${token}`);
    await call('GET', `/${encodeURIComponent(`Bearer ${token}`)}?token=${token}`);
  },
  'queries that break databases': async ({ call, fault }) => {
    for (const query of queries) {
      const { status } = await call('GET', query);
      // Metadata may hold any text, and so may what it is searched for.
      if (status === 200 && !query.includes('metadata.k=')) fault(`${query.slice(0, 100)} was answered 200`);
    }
  },
  'tokens that are guessed': async ({ call, fault }) => {
    for (let guess = 0; guess < 200; guess++)
      if ((await call('GET', '/packages', undefined, { authorization: `Bearer guess-${guess}` })).status === 200)
        fault('a guess was taken');
  },
};

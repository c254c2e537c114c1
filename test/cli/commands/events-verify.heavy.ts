import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { appendFileSync, chmodSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { openWorkplace, type Workplace } from '../workplace.ts';

test('a log is verified where it lies, and nothing is made', async () => {
  using place = openWorkplace();
  place.write({ 'd/a.txt': 'a', 'd/b.txt': 'b' });
  const server = await place.serve('serve', '--port', '0');
  await place.json('push', 'd', '--name', 'one\u2028two');
  const before = (await place.json<{ sequence: number }>('events', 'verify')).sequence;
  assert.ok(before > 3);

  const lines = (await place.run('events', '--json')).stdout;
  writeFileSync(place.path('log.jsonl'), lines);
  const page = await fetch(`${server.url}/events?limit=500`, { headers: { authorization: 'Bearer cli-test-token' } });
  writeFileSync(place.path('log.cbor'), new Uint8Array(await page.arrayBuffer()));
  assert.equal(await server.signal('SIGTERM'), 0);

  const verdict = await place.json('events', 'verify');
  for (const name of ['log.jsonl', 'log.cbor'])
    assert.deepEqual(await place.json('events', 'verify', '--input', place.path(name)), verdict, name);
  execFileSync('mkfifo', [place.path('pipe')]);
  const [piped] = await Promise.all([place.json('events', 'verify', '--input', place.path('pipe')), writeFile(place.path('pipe'), lines)]);
  assert.deepEqual(piped, verdict);
  await exportedLogs(place, lines);

  // An evidence copy: the database alone.
  renameSync(place.path('var/storage'), place.path('elsewhere'));
  const listed = readdirSync(place.path('var'));
  chmodSync(place.path('var/artifactstore.db'), 0o400);
  assert.deepEqual(await place.json('events', 'verify'), verdict);
  await place.run('retention', 'sweep', '--dry-run');
  assert.deepEqual(readdirSync(place.path('var')), listed);

  const database = new DatabaseSync(place.path('var/artifactstore.db'));
  database.exec('drop trigger events_not_deleted; delete from events where sequence = (select max(sequence) from events)');
  const cut = await place.run('events', 'verify');
  assert.equal(cut.code, 5);
  assert.match(cut.stderr, new RegExp(`good up to event ${before - 1}, and then the log ends, but its head is event ${before}`));
  database.exec('drop table log_head');
  database.close();
  assert.equal((await place.run('events', 'verify')).code, 0, 'a head that was lost says nothing of the end');
});

async function exportedLogs(place: Workplace, lines: string): Promise<void> {
  const events = lines.trimEnd().split('\n');
  const verify = async (name: string, content: string) => {
    writeFileSync(place.path(name), content);
    return await place.run('events', 'verify', '--input', place.path(name));
  };
  const part = await verify(
    'part.jsonl',
    `${events.map((event) => event.replace(/"chain_digest":"[^"]*"/, '"chain_digest":null')).join('\n')}\n`,
  );
  assert.equal(part.code, 2);
  assert.match(part.stderr, /This is a part of a log, which cannot be verified: line 1 has no chain digest/);
  const tail = await verify('tail.jsonl', `${events.slice(2).join('\n')}\n`);
  assert.equal(tail.code, 0, tail.stderr);
  assert.match(tail.stdout + tail.stderr, /from event 3 .*\nwhat is before event 3 is not in the file/);
  for (const [name, content, message] of [
    [
      'gap.jsonl',
      [events[0], ...events.slice(2)].join('\n'),
      /good up to event 1, and then sequence 3 follows 1.*hint: an export with --type/s,
    ],
    ['changed.jsonl', lines.replace('"tester"', '"somebody"'), /good up to event 0, and then event 1 does not continue the chain/],
    ['payload.jsonl', lines.replace('"payload":{', '"payload":{"more":1,'), /the payload of event 1 does not match/],
    ['other.jsonl', 'these are notes\n', /line 1 is no event: .*[^.]\. \(integrity_failure\)/],
  ] as const) {
    const { code, stderr } = await verify(name, content);
    assert.equal(code, 5, name);
    assert.match(stderr, message);
  }
  const empty = await verify('empty.jsonl', '');
  assert.equal(empty.code, 3);
  assert.match(empty.stderr, /is empty: it has no event, so nothing was checked/);
  const missing = await place.run('events', 'verify', '--input', 'nowhere.jsonl');
  assert.equal(missing.code, 2);
  assert.match(missing.stderr, /nowhere\.jsonl" can't be read: /);
  appendFileSync(place.path('log.jsonl'), '\n');
  assert.equal((await place.run('events', 'verify', '--input', place.path('log.jsonl'))).code, 0);
}

test('a database that is not there, or has no log yet, is never verified as good', async () => {
  using place = openWorkplace();
  const missing = await place.run('events', 'verify');
  assert.equal(missing.code, 1);
  assert.match(missing.stderr, /There is no database at .*\n.*does ARTIFACTSTORE_DATABASE_URL name the right database\?/);
  assert.deepEqual(readdirSync(place.directory), []);
  await place.json('migrate');
  assert.deepEqual(readdirSync(place.path('var')), ['artifactstore.db']);
  const empty = await place.run('events', 'verify');
  assert.equal(empty.code, 3);
  assert.match(empty.stderr, /is empty/);
  assert.equal(readFileSync(place.path('var/artifactstore.db')).subarray(0, 6).toString(), 'SQLite');
});

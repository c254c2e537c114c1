import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { EvidenceIndex } from '../../../src/cli/smoke/evidence-index.ts';
import { rightStack } from '../../posture/stack-of.ts';
import { openStrictStore, type StrictStore } from '../../s3-stand-in/strict-store.ts';
import { openWorkplace, type Workplace } from '../workplace.ts';

const secretAccessKey = 'hush/secret+value-1';

describe('smoke', () => {
  let store: StrictStore;
  let place: Workplace;
  const outputs: string[] = [];
  before(async () => {
    store = await openStrictStore({ secretAccessKey });
    place = openWorkplace();
  });
  after(async () => {
    place[Symbol.dispose]();
    await store.close();
    for (const output of outputs) assert.equal(output.includes(secretAccessKey), false);
  });

  async function smoke(bucket: string, ...args: readonly string[]) {
    const settings = [
      `S3_ENDPOINT_URL=${store.url}`,
      `S3_REGION=${store.region}`,
      `S3_ACCESS_KEY_ID=${store.accessKeyId}`,
      `S3_SECRET_ACCESS_KEY=${secretAccessKey}`,
      'S3_FORCE_PATH_STYLE=true',
      `COSMO_S3_BUCKET=${bucket}`,
    ];
    place.write({ 'artifacts.env': `${settings.join('\n')}\n` });
    const options = ['--settings', 'artifacts.env', '--evidence', 'evidence', '--shape', 'plain', ...args];
    const finished = await place.run('smoke', ...options, '--json');
    outputs.push(finished.stdout, finished.stderr);
    const index = JSON.parse(finished.stdout) as EvidenceIndex & { readonly evidence: string };
    return { ...finished, index, results: index.steps.map(({ step, result }) => `${step} ${result}`) };
  }

  test('passes on a store that is right, and its index names each file of the evidence with its digest', async () => {
    const { code, index, results } = await smoke('artifacts');
    assert.deepEqual([code, results], [0, ['bucket passed', 'probe passed', 'posture not_run', 'scan passed']]);
    assert.deepEqual(readdirSync(index.evidence).sort(), ['bucket.json', 'index.json', 'index.md', 'probe.json', 'scan.json']);
    const { evidence: _, ...written } = index;
    assert.deepEqual(JSON.parse(readFileSync(join(index.evidence, 'index.json'), 'utf8')), written);
    for (const { evidence } of index.steps) {
      if (evidence === null) continue;
      const bytes = readFileSync(join(index.evidence, evidence.file));
      assert.equal(createHash('sha256').update(bytes).digest('hex'), evidence.sha256);
    }
    const page = readFileSync(join(index.evidence, 'index.md'), 'utf8');
    assert.match(page, /^# Smoke of bucket `artifacts` at .*: passed$/m);
    assert.match(
      page,
      /^\| probe \| passed \| 5 of 5 checks of the shape plain hold \| \[probe\.json\]\(probe\.json\) \| `[0-9a-f]{64}` \|$/m,
    );
    const again = await smoke('artifacts');
    assert.notEqual(again.index.evidence, index.evidence);
    assert.deepEqual(store.objects('artifacts'), []);
  });

  test('a public name that no file has is told once, though it looks twice', async () => {
    const files = ['--settings', 'artifacts.env', '--evidence', 'evidence', '--shape', 'plain'];
    const { code, stderr } = await place.run('smoke', ...files, '--public', 'S3_END_POINT');
    assert.equal(code, 0, stderr);
    assert.equal(stderr.match(/no --known file has S3_END_POINT/g)?.length, 1, stderr);
  });

  test('a bucket that is missing is not made: it says how to', async () => {
    const { code, index, results } = await smoke('absent');
    assert.deepEqual([code, results], [1, ['bucket failed', 'probe not_run', 'posture not_run', 'scan passed']]);
    assert.equal(index.steps[0]?.remedy, 'run `artifactstore store init --settings artifacts.env`');
    assert.equal(store.requests.CreateBucket, undefined);
  });

  test('the files of the stack are looked at where they are given', async () => {
    place.write({ 'compose.yaml': 'services:\n  store:\n    image: minio\n    ports: ["9000:9000"]\n' });
    const { code, index, results } = await smoke('artifacts', '--compose', 'compose.yaml');
    assert.deepEqual([code, results[2]], [1, 'posture failed']);
    assert.match(index.steps[2]?.summary ?? '', /no-ports store compose\.yaml:4.*; no proxy was asked \(--proxy\)$/);
  });

  test('says of the stack what was looked at, and what nobody asked for', async () => {
    place.write({ 'right.yaml': rightStack() });
    await using proxy = createServer((_request, response) => void response.writeHead(404).end());
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
    const asked = ['--proxy', `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`, '--forbidden-host', 'minio.local'];
    const files = ['--compose', 'right.yaml'];
    for (const [options, summary] of [
      [[], 'neither --compose nor --proxy was given'],
      [files, '2 services: by their files, reached from inside only; no proxy was asked (--proxy)'],
      [asked, '1 forbidden host: the proxy leads to none; no files were looked at (--compose)'],
      [[...files, ...asked], '2 services: by their files, reached from inside only; 1 forbidden host: the proxy leads to none'],
    ] as const) {
      const { code, index } = await smoke('artifacts', ...options);
      assert.deepEqual([code, index.steps[2]?.summary], [0, summary]);
    }
    const hosts = await place.run('smoke', '--settings', 'artifacts.env', '--evidence', 'none', '--forbidden-host', 'minio.local');
    assert.equal(hosts.code, 2);
    assert.match(hosts.stderr, /--forbidden-host goes with --proxy/);
    assert.equal(existsSync(place.path('none')), false);
  });

  test('files that are wrong fail their steps, all of them in one line', async () => {
    place.write({ 'empty.yaml': '', 'bare.env': '' });
    const { code, index, results } = await smoke('artifacts', '--compose', 'none.yaml', 'empty.yaml', '--known', 'none.env', 'bare.env');
    assert.deepEqual([code, results.slice(2)], [2, ['posture failed', 'scan failed']]);
    const [posture, scan] = index.steps.slice(2).map(({ summary }) => summary);
    assert.match(
      posture ?? '',
      /^2 of these files cannot be used: \S+none\.yaml" can't be read: .*\(ENOENT\); \S+empty\.yaml:1: it holds no map/,
    );
    assert.match(
      scan ?? '',
      /^2 of these cannot be used: \S+none\.env" can't be read: .*; \S+bare\.env" has no value [^\n]+\(invalid_configuration\)$/,
    );
  });

  test('a secret in the evidence is found, whatever put it there', async () => {
    // The bucket's own name is one here.
    place.write({ 'more.env': 'NAMED=artifacts\nHOST=127.0.0.1\n' });
    const { code, index } = await smoke('artifacts', '--known', 'more.env', '--public', 'HOST');
    assert.deepEqual([code, index.ok], [1, false]);
    assert.match(index.steps[3]?.summary ?? '', /NAMED in (bucket|index|probe)\./);
  });

  test('finds a secret that comes with its own report, and says so on the disk too', async () => {
    // A word that only scan.json has, which is written after the first look.
    place.write({ 'known.env': 'PLANTED_SECRET=not_looked_at\n' });
    const { code, index, results } = await smoke('artifacts', '--known', 'known.env');
    assert.deepEqual([code, results.at(-1), index.ok], [1, 'scan failed', false]);
    const written = JSON.parse(readFileSync(join(index.evidence, 'index.json'), 'utf8')) as EvidenceIndex;
    assert.deepEqual([written.ok, written.steps.at(-1)?.result], [false, 'failed']);
    assert.match(readFileSync(join(index.evidence, 'index.md'), 'utf8'), /^# Smoke .*: failed$/m);
  });

  test('fails fast when the store is stopped, says what to do, and has evidence of it', async () => {
    await store.close();
    const begun = performance.now();
    const { code, index, results } = await smoke('artifacts');
    assert.ok(performance.now() - begun < 25_000);
    assert.deepEqual([code, results], [6, ['bucket failed', 'probe not_run', 'posture not_run', 'scan passed']]);
    assert.match(index.steps[0]?.summary ?? '', /nothing listens there; look at S3_ENDPOINT_URL and at the store/);
    assert.match(index.steps[0]?.remedy ?? '', /^start the store/);
    assert.match(readFileSync(join(index.evidence, 'bucket.json'), 'utf8'), /storage_unavailable/);
    const { code: people, stdout } = await place.run('smoke', '--settings', 'artifacts.env', '--evidence', 'evidence');
    assert.equal(people, 6);
    assert.match(stdout, /^failed {2}bucket {3}Could not look for the bucket at .*\n {9}do this: start the store/);
  });
});

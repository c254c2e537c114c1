import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Certificate } from '../../src/certify/certificate.ts';
import { type CertifyOptions, certifyStore } from '../../src/certify/certify.ts';
import { scopeRules } from '../../src/certify/scope.ts';
import { suite } from '../../src/certify/suite.ts';
import { sendRaw } from '../s3-stand-in/signed-request.ts';
import { openStrictStore, type StrictStore, type StrictStoreOptions } from '../s3-stand-in/strict-store.ts';
import { connectionTo } from './connection.ts';

const narrow = { accessKeyId: 'AKIANARROW', secretAccessKey: 'narrow-secret', sessionToken: 'narrow-token', keyPrefix: 'mine/' };
const buckets = ['artifacts', 'payroll'];

async function scopeOf(options: StrictStoreOptions, asked: (store: StrictStore) => Partial<CertifyOptions>) {
  await using store = await openStrictStore({ buckets, ...options });
  const certificate = await certifyStore({
    connection: connectionTo(store, store),
    version: '0.0.0',
    families: ['reach'],
    reach: { otherBucket: 'payroll' },
    ...asked(store),
  });
  assert.deepEqual([store.objects('artifacts'), store.objects('payroll')], [[], []], 'nothing is left, within or outside');
  return { ...certificate.scope, probes: certificate.probes };
}

const ids = ({ decided_by }: Certificate['scope']): readonly string[] => decided_by.map(({ id }) => id);

describe('the scope of keys', () => {
  test('is proven where they are used within and refused everywhere else', async () => {
    const narrowKeys = { ...narrow, buckets: ['artifacts'] };
    const { verdict, decided_by, probes } = await scopeOf({ sessionTokens: [narrowKeys] }, (store) => ({
      connection: connectionTo(store, narrowKeys),
      keyPrefix: 'mine',
    }));
    assert.deepEqual([verdict, decided_by], ['proven', []]);
    const within = probes.find(({ id }) => id === 'reach.within');
    assert.equal(within?.detail, 'write 200, head 200, read 200, delete 204');
  });

  test('is too wide with keys of the account, each escape with what was answered and what to do', async () => {
    const found = await scopeOf({}, () => ({ keyPrefix: 'mine' }));
    assert.equal(found.verdict, 'too_wide');
    assert.deepEqual(ids(found), ['reach.other-bucket-write', 'reach.other-bucket-read', 'reach.other-prefix', 'reach.list-buckets']);
    const told = Object.fromEntries(found.decided_by.map(({ id, text }) => [id, text]));
    assert.match(told['reach.other-bucket-write'] ?? '', /^200; what was written was deleted again \(204\)$/);
    assert.match(told['reach.list-buckets'] ?? '', /^200: it shows 1 more$/);
    for (const { remedy } of found.decided_by) assert.match(remedy, /^(give|take) .*keys/);
  });

  test('is too wide with keys that reach the rest of their bucket, and with a store that lets them', async () => {
    const whole = { ...narrow, keyPrefix: '', buckets: ['artifacts'] };
    const beside = await scopeOf({ sessionTokens: [whole] }, (store) => ({ connection: connectionTo(store, whole), keyPrefix: 'mine' }));
    assert.deepEqual([beside.verdict, ids(beside)], ['too_wide', ['reach.other-prefix']]);
    const lies = { foreignBucketReadable: true, lagMilliseconds: 300 };
    const foreign = await scopeOf({ buckets: ['artifacts'], foreignBuckets: ['payroll'], lies }, () => ({}));
    assert.deepEqual([foreign.verdict, ids(foreign)], ['too_wide', ['reach.other-bucket-write', 'reach.other-bucket-read']]);
  });

  test('is unproven where not everything was asked, or something else than a refusal was answered', async () => {
    const own = { buckets: ['artifacts'] };
    const unnamed = await scopeOf({ ...own, foreignBuckets: ['payroll'] }, () => ({ reach: {} }));
    assert.deepEqual([unnamed.verdict, ids(unnamed)], ['unproven', ['reach.other-bucket-write', 'reach.other-bucket-read']]);
    assert.match(unnamed.decided_by[0]?.text ?? '', /no other bucket was named/);
    const absent = await scopeOf({ ...own, foreignBuckets: ['payroll'] }, () => ({ reach: { otherBucket: 'nowhere' } }));
    assert.equal(absent.verdict, 'unproven');
    assert.match(absent.decided_by[0]?.text ?? '', /^404 NoSuchBucket: that is no refusal$/);
    const elsewhere = await scopeOf({ ...own, foreignBuckets: ['payroll'] }, () => ({ families: ['clock'] }));
    assert.deepEqual([elsewhere.verdict, elsewhere.decided_by[0]?.text], ['unproven', 'was not asked']);
  });

  test('leaves no version in a bucket that keeps them, where a write outside was not refused', async () => {
    await using store = await openStrictStore({ buckets });
    const body = '<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>';
    await sendRaw(store, { method: 'PUT', path: '/payroll', query: 'versioning=', body });
    const connection = connectionTo(store, store);
    await certifyStore({ connection, version: '0.0.0', families: ['reach'], reach: { otherBucket: 'payroll' } });
    const { body: versions } = await sendRaw(store, { path: '/payroll', query: 'versions=' });
    assert.doesNotMatch(versions, /<(Version|DeleteMarker)>/);
  });

  test('is a matter of probes that there are', () => {
    for (const id of Object.keys(scopeRules))
      assert.ok(
        suite.some((probe) => probe.id === id),
        id,
      );
  });
});

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { type Family, families, type Use } from '../../src/certify/certificate.ts';
import { type CertifyOptions, certifyStore } from '../../src/certify/certify.ts';
import { suite } from '../../src/certify/suite.ts';
import { useRules } from '../../src/certify/uses.ts';
import { sendRaw } from '../s3-stand-in/signed-request.ts';
import { type Lie, type Lies, lies, openStrictStore, type StrictStore } from '../s3-stand-in/strict-store.ts';
import { connectionTo } from './connection.ts';

describe('a strict store', () => {
  test('is safe for everything; every probe passes or says why it was skipped; nothing is left', async () => {
    await using store = await openStrictStore({ minimumPartBytes, foreignBuckets: ['theirs'] });
    store.place('artifacts', 'mine/before', 'untouched');
    const told: string[] = [];
    const certificate = await certify(store, { keyPrefix: 'mine', onProbe: ({ id }) => void told.push(id) });
    const { probes, uses, grade, leftovers, dialect } = certificate;
    assert.ok(probes.length >= 60);
    const skips = new Map(probes.filter(({ result }) => result === 'skipped').map(({ id, detail }) => [id, detail]));
    // Its keys are those of the whole account.
    const wide = ['reach.other-prefix'];
    assert.deepEqual(
      probes.filter(({ id, result }) => result !== 'pass' && !skips.has(id)).map(({ id, result }) => `${id} ${result}`),
      wide.map((id) => `${id} differs`),
    );
    assert.deepEqual([certificate.scope.verdict, certificate.scope.decided_by.map(({ id }) => id)], ['too_wide', wide]);
    assert.deepEqual([...skips.keys()].sort(), ['reach.acl', 'reach.owner-reads', 'reach.policy', 'reach.session-token']);
    for (const detail of skips.values()) assert.notEqual(detail, '');
    assert.deepEqual(
      uses.map(({ use, verdict }) => [use, verdict]),
      useRules.map(({ use }) => [use, 'safe']),
    );
    assert.equal(grade, 'A');
    assert.deepEqual(dialect, { bodyBinding: 'signed-sha256', ownerAcl: false });
    assert.deepEqual(leftovers, []);
    assert.deepEqual(told.sort(), suite.map(({ id }) => id).sort());
    assert.deepEqual([store.objects('artifacts'), store.uploads('artifacts')], [['mine/before'], []]);
    assert.equal(store.object('artifacts', 'mine/before')?.body.toString(), 'untouched');
    assert.equal(JSON.stringify(certificate).includes(store.secretAccessKey), false);
    assert.ok((store.requests.CreateBucket ?? 0) > 0);
    assert.deepEqual(await bucketsOf(store), ['artifacts']);
  });

  test('of a bucket that keeps versions, no version is left', async () => {
    await using store = await openStrictStore({ minimumPartBytes });
    const body = '<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>';
    await sendRaw(store, { method: 'PUT', path: '/artifacts', query: 'versioning=', body });
    await certify(store, { families: ['objects', 'keys', 'listing'] });
    const { body: versions } = await sendRaw(store, { path: '/artifacts', query: 'versions=' });
    assert.doesNotMatch(versions, /<(Version|DeleteMarker)>/);
  });

  test('that is left in the middle is left clean', async () => {
    await using store = await openStrictStore({ minimumPartBytes });
    const controller = new AbortController();
    const running = certify(store, {
      families: ['listing', 'multipart', 'lock'],
      signal: controller.signal,
      onProbe: (_, done) => void (done === 8 && controller.abort()),
    });
    await assert.rejects(running, { code: 'cancelled', message: 'The operation was cancelled' });
    assert.deepEqual([store.objects('artifacts'), store.uploads('artifacts')], [[], []]);
    assert.deepEqual(await bucketsOf(store), ['artifacts']);
  });

  test('that answers after a lock has ended is not taken for one that does not lock', async () => {
    // The delete that says whether there may be any, and the first of four probes.
    const faults = { onlyOperations: ['DeleteObject'], delayMilliseconds: 1700, times: 5 };
    await using store = await openStrictStore({ minimumPartBytes, faults });
    const { probes } = await certify(store, { families: ['lock'], retentionMilliseconds: 1500 });
    assert.deepEqual(
      probes.filter(({ result }) => result === 'fail'),
      [],
    );
  });

  test('that is busy now and then is asked again', async () => {
    await using store = await openStrictStore({ minimumPartBytes, faults: { failEvery: 7, status: 503 } });
    const { probes, leftovers } = await certify(store, { families: ['ranges'] });
    assert.deepEqual([...probes.filter(({ result }) => result !== 'pass'), ...leftovers], []);
  });

  test('whose lists show nothing for long is left clean all the same', async () => {
    await using store = await openStrictStore({ minimumPartBytes, lies: { staleList: true, lagMilliseconds: 60_000 } });
    await certify(store, { families: ['clock', 'ranges'] });
    assert.ok((store.requests.PutObject ?? 0) > 10);
    assert.deepEqual(store.objects('artifacts'), []);
  });

  test('that deletes nothing is no store to certify, and what is left there is named', async () => {
    await using store = await openStrictStore({ faults: { onlyOperations: ['DeleteObject', 'DeleteObjects'], status: 500 } });
    await assert.rejects(certify(store), (error: Error & { readonly info?: { readonly leftovers?: readonly string[] } }) => {
      assert.match(error.message, /^Could not delete at .*\. This is left in the store: artifacts\/certify-\w+\/knock: /);
      assert.deepEqual(
        error.info?.leftovers?.map((text) => text.split(':')[0]),
        store.objects('artifacts').map((key) => `artifacts/${key}`),
      );
      return true;
    });
  });

  test('that lets keys make buckets and not remove them is told of, with the buckets by name', async () => {
    const narrow = {
      accessKeyId: 'AKIANARROW',
      secretAccessKey: 'narrow-secret',
      sessionToken: 'narrow-token',
      buckets: ['artifacts'],
      keyPrefix: 'mine/',
    };
    await using store = await openStrictStore({ minimumPartBytes, sessionTokens: [narrow] });
    const { probes, uses, leftovers } = await certify(store, {
      keyPrefix: 'mine',
      families: ['lock', 'reach'],
      connection: connectionTo(store, narrow),
    });
    assert.equal(probes.find(({ id }) => id === 'reach.session-token')?.result, 'pass');
    assert.equal(uses.find(({ use }) => use === 'registry')?.verdict, 'unproven');
    const made = (await bucketsOf(store)).filter((name) => name !== 'artifacts');
    assert.ok(made.length > 0);
    assert.deepEqual(leftovers.map((text) => text.split(':')[0]).sort(), made.sort());
  });

  test('that is not there, or has no such bucket, or does not know the keys, is no store to certify', async () => {
    await using store = await openStrictStore();
    const knows = { accessKeyId: store.accessKeyId, secretAccessKey: store.secretAccessKey };
    const refusals: readonly (readonly [CertifyOptions['connection'], RegExp])[] = [
      [{ ...connectionTo(store, knows), endpointUrl: 'http://127.0.0.1:9' }, /nothing listens there/],
      [{ ...connectionTo(store, knows), bucket: 'absent' }, /there is no bucket "absent"/],
      [connectionTo(store, { ...knows, secretAccessKey: 'wrong' }), /the signature was refused/],
    ];
    for (const [connection, message] of refusals)
      await assert.rejects(certify(store, { connection }), (error: Error & { code?: string }) => {
        assert.equal(error.code, 'storage_unavailable');
        assert.match(error.message, message);
        return true;
      });
  });
});

/** For each lie the probes that must fail, and what the store must not be called safe for. */
const caught: { readonly [L in Lie]: { readonly fails: readonly string[]; readonly unsafe: readonly Use[]; readonly stays?: 'uploads' } } =
  {
    nonAtomicConditionalCreate: { fails: ['conditions.create-race'], unsafe: ['conditional-publishing'] },
    ignoredConditionalCreate: {
      fails: ['conditions.create-existing', 'conditions.create-race', 'presigned.create-only'],
      unsafe: ['conditional-publishing'],
    },
    ignoredConditionOnComplete: { fails: ['conditions.complete-existing', 'conditions.complete-race'], unsafe: [] },
    truncatedRange: {
      fails: ['ranges.first-last', 'ranges.one-byte', 'ranges.last-byte', 'ranges.open-end', 'ranges.all'],
      unsafe: ['registry'],
    },
    ignoredRange: { fails: ['ranges.first-last', 'ranges.open-end', 'ranges.suffix', 'ranges.all'], unsafe: ['registry'] },
    wrongRangeOffset: { fails: ['ranges.first-last', 'ranges.one-byte', 'ranges.suffix', 'ranges.all'], unsafe: ['registry'] },
    ignoredObjectLock: { fails: ['lock.governance', 'lock.compliance', 'lock.hold'], unsafe: ['write-once'] },
    staleList: { fails: ['listing.after-write', 'listing.after-delete', 'listing.pages'], unsafe: ['registry', 'several-writers'] },
    staleRead: { fails: ['objects.read-after-overwrite'], unsafe: ['registry', 'several-writers'] },
    ambiguousComplete: { fails: ['multipart.honest-completion', 'multipart.in-order'], unsafe: ['registry', 'several-writers'] },
    completeAnswers200WithError: { fails: ['multipart.honest-completion', 'multipart.in-order'], unsafe: ['registry', 'several-writers'] },
    notImplementedOnChecksums: {
      fails: ['checksums.right-crc32', 'checksums.trailer', 'checksums.sdk-default-buffer', 'checksums.sdk-default-stream'],
      unsafe: [],
    },
    ignoredChecksums: { fails: ['checksums.wrong-crc32', 'checksums.wrong-sha256', 'checksums.wrong-trailer'], unsafe: [] },
    ignoredContentMd5: { fails: ['checksums.content-md5'], unsafe: [] },
    ignoredContentSha256: {
      fails: ['checksums.content-sha256', 'multipart.part-digest', 'presigned.digest'],
      unsafe: ['direct-uploads'],
    },
    presignedHeadersObeyed: { fails: ['presigned.copy-source', 'presigned.metadata'], unsafe: ['direct-uploads'] },
    presignedLengthIgnored: { fails: ['presigned.length'], unsafe: ['direct-uploads'] },
    expiredPresignAccepted: { fails: ['presigned.expired-put', 'presigned.expired-get'], unsafe: ['direct-uploads'] },
    abortKeepsParts: { fails: ['multipart.abort'], unsafe: [], stays: 'uploads' },
    mixedUpPartOrder: { fails: ['multipart.out-of-order'], unsafe: ['registry'] },
    lostMetadata: { fails: ['objects.metadata', 'multipart.metadata'], unsafe: [] },
    normalisedKeys: { fails: ['keys.percent', 'keys.plus'], unsafe: [] },
    listTruncatedAt1000: { fails: ['listing.over-1000'], unsafe: ['registry'] },
    deleteNotIdempotent: { fails: ['objects.delete-again'], unsafe: [] },
    noSuchKeyAs200Empty: { fails: ['objects.missing', 'errors.no-such-key'], unsafe: ['registry', 'direct-uploads'] },
    notFoundAsHtml: { fails: ['errors.no-such-key'], unsafe: [] },
    skewAccepted: { fails: ['clock.hour-behind', 'clock.hour-ahead'], unsafe: [] },
    badSignatureAccepted: { fails: ['reach.signature'], unsafe: ['registry', 'conditional-publishing', 'direct-uploads', 'write-once'] },
    foreignBucketReadable: { fails: ['reach.other-bucket-read', 'reach.other-bucket-write'], unsafe: [] },
    expectContinueHangs: { fails: ['errors.expect-continue'], unsafe: ['registry'] },
    acceptsShortBody: { fails: ['errors.short-body', 'errors.short-overwrite'], unsafe: ['direct-uploads'] },
  };

describe('a store that lies', { concurrency: 3 }, () => {
  for (const [lie, what] of Object.entries(lies) as readonly (readonly [Lie, string])[])
    test(`${lie}: ${what}`, async () => {
      const { fails, unsafe, stays } = caught[lie];
      const lag = lags[lie] ?? lagMilliseconds;
      const told: Lies = { [lie]: true, lagMilliseconds: lag };
      await using store = await openStrictStore({ minimumPartBytes, foreignBuckets: ['theirs'], lies: told });
      const asked = [...new Set(fails.map((id) => id.split('.')[0] as Family))];
      const { probes, uses, leftovers, grade, dialect } = await certify(store, {
        families: asked,
        ageMilliseconds: lag + 100,
        ...(lie === 'expectContinueHangs' ? { continueMilliseconds: 1000 } : {}),
      });
      const failed = probes.filter(({ result }) => result === 'fail').map(({ id }) => id);
      assert.deepEqual(
        fails.filter((id) => !failed.includes(id)),
        [],
        `not caught; what failed: ${failed.join(', ')}`,
      );
      assert.deepEqual(
        uses.filter(({ verdict }) => verdict === 'unsafe').map(({ use }) => use),
        unsafe,
      );
      for (const { verdict, decided_by } of uses) if (verdict !== 'safe') assert.notDeepEqual(decided_by, []);
      assert.equal(grade === 'F', unsafe.includes('registry'));
      assert.equal(dialect.bodyBinding, lie === 'ignoredContentSha256' ? 'content-md5' : 'signed-sha256');
      assert.deepEqual(store.objects('artifacts'), []);
      assert.equal(leftovers.length > 0, stays === 'uploads');
      assert.equal(leftovers.length, store.uploads('artifacts').length);
    });
});

describe('the table of uses', () => {
  test('names probes that there are, and every family', () => {
    const ids = new Set(suite.map(({ id }) => id));
    assert.equal(ids.size, suite.length, 'an id is used twice');
    for (const { essential, precautions } of useRules)
      for (const id of [...essential.flat(), ...Object.keys(precautions)]) assert.ok(ids.has(id), id);
    for (const { id, family } of suite) assert.ok(id.startsWith(`${family}.`), id);
    assert.deepEqual([...new Set(suite.map(({ family }) => family))], families);
    const documentation = readFileSync(new URL('../../docs/stores.md', import.meta.url), 'utf8');
    for (const family of families) assert.ok(documentation.includes(`| \`${family}\` |`), `docs/stores.md lacks ${family}`);
    for (const { title } of useRules) assert.ok(documentation.includes(`| ${title} |`), `docs/stores.md lacks ${title}`);
  });
});

const minimumPartBytes = 4096;
const lagMilliseconds = 300;
/** Longer than a busy machine lets the next request wait: each of these is seen by what is asked soon after. */
const lags: { readonly [L in Lie]?: number } = { staleList: 4000, staleRead: 4000, nonAtomicConditionalCreate: 1000 };

async function certify(store: StrictStore, options: Partial<CertifyOptions> = {}): ReturnType<typeof certifyStore> {
  return await certifyStore({
    connection: connectionTo(store, { accessKeyId: store.accessKeyId, secretAccessKey: store.secretAccessKey }),
    version: '0.0.0',
    partBytes: minimumPartBytes,
    retentionMilliseconds: 5000,
    continueMilliseconds: 10_000,
    ageMilliseconds: lagMilliseconds + 100,
    reach: { otherBucket: 'theirs' },
    ...options,
  });
}

async function bucketsOf(store: StrictStore): Promise<readonly (string | undefined)[]> {
  const { body } = await sendRaw(store, { path: '/' });
  return [...body.matchAll(/<Name>(.*?)<\/Name>/g)].map(([, name]) => name);
}

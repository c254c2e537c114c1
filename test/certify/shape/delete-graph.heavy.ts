import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { probeStore } from '../../../src/certify/shape/probe-store.ts';
import type { StoreProbeReport } from '../../../src/certify/shape/reports.ts';
import { openStrictStore, type StrictStore } from '../../s3-stand-in/strict-store.ts';
import { connectionTo } from '../connection.ts';
import { type Alterations, openAlteringProxy, refusal } from './altering-proxy.ts';

describe('the deletion of a graph of more than 1,000 artifacts', () => {
  let store: StrictStore;
  before(async () => {
    store = await openStrictStore();
    store.place('artifacts', 'mine/before', 'untouched');
  });
  after(() => store.close());

  const deletion = async (alterations: Alterations): Promise<StoreProbeReport['checks'][number]> => {
    await using proxy = await openAlteringProxy(store.url, alterations);
    const connection = { ...connectionTo(store, store), endpointUrl: proxy.url };
    const { checks, leftovers } = await probeStore(connection, { shape: 'cosmo', version: '1.2.3', only: ['cosmo.delete-graph'] });
    assert.deepEqual(leftovers, []);
    assert.deepEqual(store.objects('artifacts'), ['mine/before']);
    return checks[0]!;
  };

  test('takes pages by their tokens while they are deleted', async () => {
    const { result, detail } = await deletion({});
    assert.deepEqual([result, detail], ['pass', '1205 in 2 pages, by CRC32']);
  });

  test('lists and deletes more than 1,000 keys as the controlplane does, and sees what stays', async () => {
    let pages = 0;
    const { detail } = await deletion({
      after({ query }, told) {
        if (!query.has('list-type') || query.has('encoding-type') || query.has('max-keys')) return undefined;
        pages += 1;
        return { ...told, body: Buffer.from(told.body.toString().replace('<IsTruncated>true', '<IsTruncated>false')) };
      },
      instead: ({ method, headers }) =>
        method === 'POST' && headers['content-md5'] === undefined ? refusal(400, 'MissingContentMD5') : undefined,
    });
    assert.match(detail, /^1000 of 1205 were listed and deleted in 1 pages; 205 or more stayed$/);
    assert.equal(pages, 2);
  });

  test('sees what a store forgets that stays in a folder once a page ended there', async () => {
    const { result, detail } = await deletion({
      after({ query }, told) {
        if (!query.has('continuation-token') || query.has('encoding-type')) return undefined;
        const body = told.body.toString().replaceAll(/<Contents>(?:(?!<\/Contents>).)*\/webapp\/.*?<\/Contents>/gs, '');
        return { ...told, body: Buffer.from(body) };
      },
    });
    assert.deepEqual([result, detail], ['fail', '1200 of 1205 were listed and deleted in 2 pages; 5 or more stayed']);
  });
});

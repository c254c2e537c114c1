import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Registry as MetricsRegistry } from 'prom-client';
import { createProducerGauges, producersWithQuota } from '../../../../src/doors/rest/gauges/producers.ts';
import { openBounded } from '../../../registry/bounded.ts';

test('producers with a quota have series of their own, as long as they have it', async () => {
  await using store = await openBounded();
  for (const name of ['a "quoted"\\ one', 'b', 'c']) await store.create(name);
  const register = new MetricsRegistry();
  const show = createProducerGauges(register);
  const seriesOf = async () => {
    show(await producersWithQuota(store.registry.producers));
    return (await register.metrics()).split('\n').filter((line) => line.startsWith('artifactstore_producer_'));
  };
  assert.deepEqual(await seriesOf(), []);
  store.bound('a "quoted"\\ one', { maximum_packages: 1 });
  store.bound('c', { maximum_bytes: 0 });
  const name = 'producer="a \\"quoted\\"\\\\ one"';
  assert.deepEqual((await seriesOf()).sort(), [
    `artifactstore_producer_bytes{${name}} 0`,
    'artifactstore_producer_bytes{producer="c"} 0',
    `artifactstore_producer_packages{${name}} 1`,
    'artifactstore_producer_packages{producer="c"} 1',
    'artifactstore_producer_quota_bytes{producer="c"} 0',
    `artifactstore_producer_quota_packages{${name}} 1`,
  ]);
  store.bound('c', undefined);
  assert.equal((await seriesOf()).filter((line) => line.includes('"c"')).length, 0);
});

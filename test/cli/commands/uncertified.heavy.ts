import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openStore } from '../../../src/compose/open-store.ts';
import { readConfig } from '../../../src/config/config.ts';
import { chunks } from '../../../src/registry/conformance/samples.ts';
import { openBucket } from '../../registry/uploads/open-machines.ts';
import { openWorkplace } from '../workplace.ts';

test('a certificate that is not there stops a server that gives addresses, and no backup', async () => {
  const { store, environment } = await openBucket({ buckets: ['artifacts', 'restored'] });
  await using _store = store;
  const uncertified = { ...environment, ARTIFACTSTORE_S3_PRESIGNED_UPLOADS: 'true' };
  using place = openWorkplace(uncertified);
  {
    await using opened = await openStore(readConfig(environment, { directory: place.directory }), { migrate: true });
    const registry = opened.as('tester');
    const { record } = await registry.packages.create({ name: 'n', producer: 'p', subject: 's', retention_class: 'transient' });
    await registry.files.add(record.id, { relative_path: 'one', body: chunks('bytes of one') });
    await opened.operator.settleHeld();
  }
  for (const command of [
    ['backup', 'kept'],
    ['retention', 'gc'],
    ['storage', 'verify', '--backend', 's3'],
  ]) {
    const { code, stderr } = await place.run(...command);
    assert.equal(code, 0, `${command.join(' ')}: ${stderr}`);
  }
  using empty = openWorkplace({ ...uncertified, ARTIFACTSTORE_S3_BUCKET: 'restored' });
  const restored = await empty.run('restore', place.path('kept'));
  assert.equal(restored.code, 0, restored.stderr);
  const checked = await place.run('config', 'check');
  assert.equal(checked.code, 2, checked.stdout);
  assert.match(checked.stdout + checked.stderr, /ARTIFACTSTORE_S3_PRESIGNED_UPLOADS is true, and there is no certificate/);
  const served = await place.spawned('serve');
  assert.equal(served.code, 2, served.stderr);
  assert.match(served.stderr, /ARTIFACTSTORE_S3_PRESIGNED_UPLOADS is true, and there is no certificate/);
});

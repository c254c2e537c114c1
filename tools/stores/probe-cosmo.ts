/**
 * Asks every real store that this machine has what Cosmo will ask of it, and writes what comes out between the markers
 * of docs/baseline.md: `node tools/stores/probe-cosmo.ts [name]`. Stores that are not here keep what was written of
 * them.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import type { StoreProbeReport } from '../../src/certify/shape/reports.ts';
import { baselineDocument, documentWith } from '../../test/stores/cosmo-results.ts';
import { openPlatform, platformStores } from '../../test/stores/cosmo-stores.ts';

const { positionals } = parseArgs({ allowPositionals: true });
for (const { name, region, missing, open } of platformStores) {
  if (positionals.length > 0 && !positionals.includes(name)) continue;
  const why = missing();
  if (why !== undefined) {
    process.stdout.write(`${name}: ${why}\n`);
    continue;
  }
  await using store = await open();
  using place = openPlatform(store, region);
  await place.json('store', 'init', '--settings', 'artifacts.env');
  const { stdout, stderr } = await place.run('store', 'probe', '--settings', 'artifacts.env', '--shape', 'cosmo', '--json');
  process.stdout.write(stderr);
  const report = JSON.parse(stdout) as StoreProbeReport;
  const held = report.checks.filter(({ result }) => result === 'pass').length;
  process.stdout.write(`${name} ${store.version}: ${held} of ${report.checks.length}, ${report.seconds} s\n`);
  if (report.checks.some(({ result }) => result === 'skipped')) process.stdout.write('not all was answered: nothing is written of it\n');
  else writeFileSync(baselineDocument, documentWith(readFileSync(baselineDocument, 'utf8'), { name, version: store.version, report }));
}

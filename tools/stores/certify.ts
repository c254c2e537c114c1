/**
 * Certifies every real store that this machine has, and writes what comes out between the markers of docs/stores.md:
 * `node tools/stores/certify.ts`. Stores that are not here keep what was written of them.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { certifyOn } from '../../test/stores/certification.ts';
import { certifiedStores } from '../../test/stores/certified-stores.ts';
import { documentWith, storesDocument } from '../../test/stores/results.ts';

for (const { name, missing, open } of certifiedStores) {
  const why = missing();
  if (why !== undefined) {
    process.stdout.write(`${name}: ${why}\n`);
    continue;
  }
  await using ground = await open();
  const { certificate } = await certifyOn(ground);
  process.stdout.write(`${name} ${ground.store.version}: ${certificate.grade}, ${certificate.seconds} s\n`);
  writeFileSync(storesDocument, documentWith(readFileSync(storesDocument, 'utf8'), { name, version: ground.store.version, certificate }));
}

import { writeSync } from 'node:fs';
import { openStore } from '../../../src/compose/open-store.ts';
import { readConfig } from '../../../src/config/config.ts';
import { patternAt } from './killed-uploads.ts';

// Brings short files whole, several at a time, until it is killed; prints each path after, and only after, its upload
// was answered.

const [directory, package_id, prefix] = process.argv.slice(2) as [string, string, string];
// With what is usual all of them are committed with the log; otherwise most take the direct way.
const environment = Number(prefix) % 2 === 0 ? { ARTIFACTSTORE_SMALL_OBJECT_BYTES: '16384' } : {};
const store = await openStore(readConfig(environment, { directory }));
const uploads = store.as('tester').uploads!;
let next = 0;
await Promise.all(
  Array.from({ length: 8 }, async () => {
    for (;;) {
      const number = next++;
      const size = 1 + ((number * 7_919) % 65_536);
      const relative_path = `${prefix}/${number}-${size}`;
      const file = { package_id, relative_path, size_bytes: size };
      const options = { body_bytes: size };
      if (number % 2 === 0) await uploads.beginWhole(file, body(number, size), options);
      else await uploads.append((await uploads.begin(file)).id, 0, body(number, size), options);
      writeSync(1, `${relative_path}\n`);
    }
  }),
);

async function* body(number: number, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < size; at += 30_000) yield patternAt(number + at, Math.min(30_000, size - at));
}

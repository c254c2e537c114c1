import { writeSync } from 'node:fs';
import { openStore } from '../../../src/compose/open-store.ts';
import { readConfig } from '../../../src/config/config.ts';
import { patternAt } from './killed-uploads.ts';

// Continues an upload with bodies of many lengths until it is killed; prints each offset after, and only after, it was
// acknowledged.

const [directory, id] = process.argv.slice(2) as [string, string];
const store = await openStore(readConfig({}, { directory }));
const { uploads } = store.as('tester');
let { offset_bytes: offset } = (await uploads!.status(id, { settle: true }))!;
writeSync(1, `${offset}\n`);
for (let round = 0; ; round++) {
  const length = 1 + ((round * 397_901) % 3_000_000);
  ({ offset_bytes: offset } = await uploads!.append(id, offset, body(offset, length)));
  writeSync(1, `${offset}\n`);
}

async function* body(from: number, length: number): AsyncGenerator<Uint8Array> {
  for (let at = from; at < from + length; at += 65_536) yield patternAt(at, Math.min(65_536, from + length - at));
}

import { readFileSync, writeFileSync } from 'node:fs';
import { quoteVectors } from './quote.ts';
import { buildVectors } from './vectors.ts';

// Run by hand when vectors are added: `node test/format/write-vectors.ts && npx biome check --write
// docs/format-vectors.json`. A vector that is there already must never change: it is what other readers were promised.
const vectors = buildVectors();
const page = new URL('../../docs/format.md', import.meta.url);
writeFileSync(new URL('../../docs/format-vectors.json', import.meta.url), `${JSON.stringify(vectors, null, 2)}\n`);
writeFileSync(page, quoteVectors(readFileSync(page, 'utf8'), vectors));

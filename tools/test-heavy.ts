import { globSync } from 'node:fs';
import { join } from 'node:path';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';
import { inspect } from 'node:util';

// Runs the heavy tests, two files at a time, those that take minutes first: begun last, one of them would run alone
// while the other processor is idle.
const longest = [
  'soak/soak',
  'faults/matrix',
  'leaks/leaks',
  'serve/settlers',
  'registry/upkeep/backup',
  'cli/served',
  'database/postgres/silence',
  'registry/uploads/random-uploads',
  'registry/uploads/kill',
  'doors/rest/schemathesis',
];

const root = join(import.meta.dirname, '..');
const files = globSync('test/**/*.heavy.ts', { cwd: root })
  .map((file) => file.replaceAll('\\', '/'))
  .sort();
const first = longest.map((name) => `test/${name}.heavy.ts`);
const missing = first.filter((file) => !files.includes(file));
if (missing.length > 0) throw new Error(`tools/test-heavy.ts names what is not there: ${missing.join(', ')}`);

const tests = run({
  files: [...first, ...files.filter((file) => !first.includes(file))].map((file) => join(root, file)),
  concurrency: 2,
  timeout: 2_400_000,
});
tests.on('test:fail', ({ name, file, details }) => {
  process.exitCode = 1;
  // At once: the report tells why at its end, which a run that is broken off does not reach.
  process.stderr.write(`red: ${name} (${file}): ${inspect(details.error.cause ?? details.error)}\n`);
});
tests.compose(spec).pipe(process.stdout);

import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';

const root = join(import.meta.dirname, '..');

/** Words that readers whose first language is another stumble over, and those to write instead. */
const words: readonly (readonly [pattern: RegExp, instead: string])[] = [
  [/\b(goes|go|going|went) on\b/i, 'continues, resumes'],
  [/\bstands? (above|over)\b/i, 'overrides'],
  [/\bstands? (beside|in front|behind|twice)\b/i, 'is'],
  [/\b(is|are|was|were|be|stays?) away\b/i, 'is unavailable'],
  [/\bnobody's business\b/i, 'is reserved'],
  [/\b(has|have) not (the|a|an)\b/i, 'does not have'],
  [/\b(time|retention|what|that|it) (is|was) over\b/i, 'has expired, has passed'],
  [/\bmade up as\b/i, 'shaped like'],
  [/\banew\b/i, 'again'],
  [/\bbears?\b/i, 'has'],
  [/\ball the same\b/i, 'anyway, still'],
  [/\blet(s|ting)? go\b/i, 'close, drop, release'],
  [/\bpasse[sd] over\b/i, 'ignored'],
  [/\bseldom\b/i, 'rarely'],
  [/\bfor good\b(?! bytes)/i, 'forever'],
  [/\bbut for\b/i, 'except'],
  [/\bto be had\b/i, 'available'],
  [/\b(put|set) right\b/i, 'corrected'],
  [/\bso (long ago|much later|much a second)\b/i, 'this long ago'],
  [/\bat most so (many|much)\b/i, 'at most this many'],
  [/\bdrips?\b/i, 'is slow'],
  // `finalize` is the name of the route, the event and the status; what it does is to seal.
  [/\b(is|are|was|were|not|never|nobody) finaliz(ed|es)\b|\bfinalized packages?\b/i, 'sealed'],
  [/\b1 (drafts|objects|files|packages|locations|orphans|holds|events)\b/, 'the singular'],
];

test('pages, help and messages say it in plain words', () => {
  const found: string[] = [];
  for (const path of globSync(
    ['*.md', 'docs/**/*.{md,mmd}', 'deploy/**/*', 'src/**/*.ts', 'pilot/**/*.ts', 'tools/**/*.ts', 'console/**/*.{ts,tsx}'],
    {
      cwd: root,
    },
  ))
    if (/\.\w+$/.test(path))
      for (const [index, line] of readFileSync(join(root, path), 'utf8').split('\n').entries())
        for (const [pattern, instead] of words) if (pattern.test(line)) found.push(`${path}:${index + 1}: ${line.trim()} (${instead})`);
  assert.deepEqual(found, []);
});

test('no comment is longer than 120 characters', () => {
  const files = globSync('{src,pilot,bin,tools,test,bench,console}/**/*.{ts,tsx,js}', {
    cwd: root,
    exclude: ['**/node_modules/**', 'console/dist/**'],
  });
  const long = files.flatMap((path) =>
    readFileSync(join(root, path), 'utf8')
      .split('\n')
      .flatMap((line, index) => (line.length > 120 && /^\s*(\/\/|\/?\*)/.test(line) ? [`${path}:${index + 1}`] : [])),
  );
  assert.ok(files.length > 100);
  assert.deepEqual(long, []);
});

test('each of them is found', () => {
  for (const line of [
    'the next run goes on',
    'a marker stands above it',
    'State Hub is away',
    '1 drafts',
    'a file that has not the length',
    'packages that were never finalized',
  ])
    assert.ok(
      words.some(([pattern]) => pattern.test(line)),
      line,
    );
});

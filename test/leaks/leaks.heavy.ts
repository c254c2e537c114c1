import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { chmodSync, globSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { isPlaceholder } from '../../src/secrets/check/form.ts';
import { secretOf } from '../../src/secrets/secret.ts';
import { finished } from '../cli/workplace.ts';
import { leaksIn } from './leak-scan.ts';

const root = join(import.meta.dirname, '..', '..');

/** Everything that handles authority and keys. */
const suites = globSync(
  [
    'test/provider/**/*.{test,heavy}.ts',
    'test/secrets/**/*.test.ts',
    'test/credentials/*.test.ts',
    'test/compose/keys-in-vault.test.ts',
    'test/cli/commands/{provider,secrets}.test.ts',
  ],
  { cwd: root },
).sort();

describe('values of secrets', () => {
  test('are found where they are planted: output, command lines, files that others can read', async () => {
    const { values, leaks, crashes } = await scanned([join(import.meta.dirname, 'leaky.ts')]);
    assert.deepEqual(values, ['planted/+value']);
    const found = leaks.map(({ where, form }) => `${where.replace(/\/.*/, '')} ${form}`).sort();
    assert.deepEqual(found, ['argv hex', 'left utf-16', 'output base64', 'output percent']);
    assert.equal(crashes.length, 1);
  });

  test('are in no output, log, event, core file or command line of the suites that handle them', { timeout: 1_800_000 }, async () => {
    const { code, values, leaks, bytes, failed, crashes } = await scanned(['--test', '--test-concurrency=1', ...suites]);
    assert.equal(code, 0, `the suites themselves are green, and not ${failed.join('; ')}`);
    assert.ok(values.length > 50, `only ${values.length} values were seen`);
    for (const name of ['output', 'argv']) assert.ok((bytes.get(name) ?? 0) > 10_000, `${name}: ${bytes.get(name)} bytes`);
    assert.deepEqual(leaks, []);
    assert.deepEqual(crashes, [], 'whatever was killed left no memory behind');
  });
});

async function scanned(args: readonly string[]) {
  const directory = mkdtempSync(join(tmpdir(), 'artifactstore-leaks-'));
  try {
    mkdirSync(join(directory, 'tmp'));
    // A test that becomes another user goes through them.
    for (const path of [directory, join(directory, 'tmp')]) chmodSync(path, 0o711);
    const env = {
      ...process.env,
      NODE_OPTIONS: `--import=${pathToFileURL(join(import.meta.dirname, 'record.ts'))}`,
      LEAK_RECORD_DIRECTORY: directory,
      TMPDIR: join(directory, 'tmp'),
    };
    delete (env as Record<string, unknown>).NODE_TEST_CONTEXT;
    const child = spawn(process.execPath, args, { cwd: root, env, stdio: ['ignore', 'pipe', 'pipe'] });
    const { code, stdout, stderr } = await finished(child);
    const texts = new Map<string, Buffer>([['said', Buffer.from(stdout + stderr)]]);
    for (const name of ['argv', 'output']) texts.set(name, readFileSync(join(directory, name)));
    for (const [path, text] of readableByOthers(join(directory, 'tmp'))) texts.set(`left/${path}`, text);
    const crashes = readdirSync(join(directory, 'tmp'), { recursive: true, encoding: 'utf8' }).filter((path) => ofCrash.test(path));
    const lines = readFileSync(join(directory, 'values'), 'utf8').trim().split('\n');
    const values = [...new Set(lines.map((line) => JSON.parse(line) as string))].filter(isOwnValue);
    const leaks = leaksIn(texts, values).filter(({ where }) => where !== 'said' || args[0] === '--test');
    const failed = stdout.split('\n').flatMap((line) => /^\s*(?:✖|not ok \d+ -) (.*)/u.exec(line)?.[1] ?? []);
    return { code, values, leaks, failed, crashes, bytes: new Map([...texts].map(([name, text]) => [name, text.length])) };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/**
 * A short one, or a word that stands for a value, means nothing where it is found. A document holds values, which are
 * looked for one by one.
 */
function isOwnValue(value: string): boolean {
  return value.length >= 8 && !value.startsWith('{') && new Set(value).size > 3 && !isPlaceholder(secretOf(value));
}

/** Core files, reports of Node.js, and snapshots and profiles of its heap. */
const ofCrash = /(?:^|\/)(?:core(?:\.\d+)?|report\.[^/]*\.json|[^/]*\.heap(?:snapshot|profile))$/;

/** What is its owner's alone may hold a value; a core file is looked at whoever may read it. */
function* readableByOthers(folder: string): Generator<readonly [path: string, text: Buffer]> {
  for (const path of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    const found = statSync(join(folder, path), { throwIfNoEntry: false });
    if (found?.isFile() !== true || found.size > 67_108_864) continue;
    if ((found.mode & 0o077) !== 0 || ofCrash.test(path)) yield [path, readFileSync(join(folder, path))];
  }
}

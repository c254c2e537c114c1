import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { openWorkplace } from '../cli/workplace.ts';
import { openStrictApi } from '../provider/cloudflare-r2/strict-api.ts';
import { openStrictStore } from '../s3-stand-in/strict-store.ts';
import { leaksIn } from './leak-scan.ts';

const entry = fileURLToPath(new URL('../../bin/artifactstore.js', import.meta.url));

describe('a command of the provider that crashes', { skip: whyNoCores() ?? false }, () => {
  test('leaves no core file, report or draft, whatever it was doing', { timeout: 600_000 }, async () => {
    using place = openWorkplace();
    await using store = await openStrictStore({ region: 'auto', buckets: ['artifacts', 'payroll'] });
    await using api = await openStrictApi({ store });
    const values = [api.addToken().value, api.addToken().value];
    place.write({ 'a.token': `${values[0]}\n`, 'b.token': `${values[1]}\n` });
    for (const name of ['a.token', 'b.token']) chmodSync(place.path(name), 0o600);
    mkdirSync(place.path('secrets'), { mode: 0o700 });
    const there = ['--store', `file:${place.path('secrets')}`, '--provider-url', api.url, '--endpoint', store.url];
    const importing = [
      ...['provider', 'import-admin-pair', '--provider', 'cloudflare-r2', '--account', api.account, '--bucket', 'artifacts', '--create'],
      ...['--token-file', 'a.token', '--token-file', 'b.token', ...there],
    ];
    const rotating = ['provider', 'rotate', '--bucket', 'artifacts', '--other-bucket', 'payroll', '--overlap', '0', ...there];

    /** Where core files are switched on, and Node's own remedies for a crash too. */
    const start = (args: readonly string[]) =>
      spawn('sh', ['-c', 'ulimit -c unlimited; exec "$@"', 'sh', process.execPath, ...args], {
        cwd: place.directory,
        env: { PATH: process.env.PATH, HOME: place.directory, NODE_OPTIONS: '--abort-on-uncaught-exception --report-on-fatalerror' },
        stdio: 'ignore',
      });
    const left = (): readonly string[] =>
      readdirSync(place.directory, { recursive: true, encoding: 'utf8' }).filter((each) =>
        /(?:^|\/)core|(?:^|\/)report\.|\.heapsnapshot$/.test(each),
      );
    /** Aborted when the provider has been asked so often; false where it had ended before. */
    const crash = async (args: readonly string[], calls: number): Promise<boolean> => {
      const until = api.calls.length + calls;
      const child = start([entry, ...args]);
      const ended = once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>;
      while (api.calls.length < until && child.exitCode === null && child.signalCode === null) await sleep(3);
      child.kill('SIGABRT');
      const [, signal] = await ended;
      assert.deepEqual(left(), []);
      return signal === 'SIGABRT';
    };

    await once(start(['-e', 'process.abort()']), 'exit');
    assert.equal(left().length, 1, 'another program leaves one');
    for (const name of left()) rmSync(place.path(name));
    let crashes = 0;
    for (const args of [importing, rotating]) for (let calls = 1; await crash(args, calls); calls += 3) crashes += 1;
    assert.ok(crashes > 6, `only ${crashes} times`);
    // What an import or a rotation was writing lies in the store alone, for nobody else to read.
    const names = readdirSync(place.directory, { recursive: true, encoding: 'utf8', withFileTypes: true }).filter((each) => each.isFile());
    for (const { parentPath, name } of names) {
      const path = `${parentPath}/${name}`;
      if (!path.startsWith(place.path('secrets')) && !name.endsWith('.token'))
        assert.deepEqual(leaksIn(new Map([[path, readFileSync(path)]]), values), []);
    }
  });
});

/** A system that pipes core files to a program, or writes them elsewhere, shows none here. */
function whyNoCores(): string | undefined {
  if (process.platform !== 'linux') return 'only Linux can leave memory out of them';
  const pattern = readFileSync('/proc/sys/kernel/core_pattern', 'utf8').trim();
  return /^core\b/.test(pattern) ? undefined : `core files do not come into the folder of a process here: ${pattern}`;
}

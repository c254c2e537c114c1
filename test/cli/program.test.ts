import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { type Command, CommanderError } from 'commander';
import * as pilotModule from '../../pilot/commands.ts';
import { connect } from '../../src/cli/connect.ts';
import type { Surroundings } from '../../src/cli/context.ts';
import { exitCode, exitCodes } from '../../src/cli/exit.ts';
import { createProgram, defineEverything } from '../../src/cli/program.ts';
import { createProgress } from '../../src/cli/terminal/progress.ts';
import * as library from '../../src/index.ts';
import type { Pilot } from '../../src/main.ts';
import { stopOnSignal } from '../../src/runtime/stop-signals.ts';

/** Words that only group others. */
const groups = new Set([
  'config',
  'access',
  'secrets',
  'packages',
  'producers',
  'provider',
  'retention',
  'storage',
  'store',
  'uploads',
  'guide-board',
  'test-report',
  'sbom',
]);

// What main.ts hands it and what it asks for must agree, and only the compiler can tell.
const pilot: Pilot = pilotModule;

const documentation = readFileSync(new URL('../../docs/cli.md', import.meta.url), 'utf8');

async function program(): Promise<Command> {
  const surroundings: Surroundings = {
    version: '0.0.0',
    environment: {},
    directory: '/',
    stdin: process.stdin,
    stdout: process.stdout,
    stderr: process.stderr,
    openStore: () => Promise.reject(new Error('nothing is opened here')),
    checkBackup: () => Promise.reject(new Error('nothing is checked here')),
    checkConfig: () => Promise.reject(new Error('nothing is checked here')),
    restore: () => Promise.reject(new Error('nothing is restored here')),
    certify: () => Promise.reject(new Error('nothing is certified here')),
    provider: () => Promise.reject(new Error('nobody is asked for keys here')),
    store: () => Promise.reject(new Error('no store is asked here')),
  };
  const more = pilot.commands(async () => ({ library, connect, createProgress, stopOnSignal }));
  const whole = createProgram(surroundings, () => undefined, more);
  await defineEverything(whole);
  return whole;
}

/** Every command by the words that call it. */
function all(command: Command, words: readonly string[] = []): readonly (readonly [string, Command])[] {
  return command.commands.flatMap((inner) => {
    const path = [...words, inner.name()];
    return [[path.join(' '), inner] as const, ...all(inner, path)];
  });
}

describe('the command line and its documentation', () => {
  test('docs/cli.md has every command with its arguments, and every option in its section', async () => {
    const root = await program();
    for (const { flags } of root.options) assert.ok(documentation.includes(`| \`${flags}\` |`), `docs/cli.md lacks ${flags}`);
    for (const [words, command] of all(root)) {
      if (groups.has(words)) continue;
      const heading = `## \`artifactstore ${[words, ...command.registeredArguments.map((argument) => (argument.required ? `<${argument.name()}>` : `[${argument.name()}]`))].join(' ')}\``;
      const section = documentation.split(/^(?=#{1,2} )/m).find((text) => text.startsWith(`${heading}\n`));
      assert.ok(section !== undefined, `docs/cli.md lacks ${heading}`);
      for (const { flags } of command.options) assert.ok(section.includes(`| \`${flags}\` |`), `docs/cli.md lacks ${flags} of ${words}`);
      const documented = section.match(/^\| `--[^`]*` \|/gm) ?? [];
      assert.equal(documented.length, command.options.length, `docs/cli.md has options that ${words} has not`);
    }
  });

  test('docs/cli.md has no command that is not there', async () => {
    const known = new Set(all(await program()).map(([words]) => words));
    for (const [, words = ''] of documentation.matchAll(/^## `artifactstore ([a-z -]+?)(?: [<[].*)?`$/gm))
      assert.ok(known.has(words), words);
  });

  test('every command helps, with an example where it takes anything', async () => {
    for (const [words, command] of all(await program())) {
      const parts: string[] = [];
      command.configureOutput({ writeOut: (part) => void parts.push(part) }).outputHelp();
      const text = parts.join('');
      assert.match(text, /^Usage: artifactstore /, words);
      for (const line of text.split('\n')) assert.ok(line.length <= (line.startsWith('  ') ? 120 : 80), `${words}: ${line}`);
      if (!groups.has(words) && words !== 'version') assert.match(text, /Examples?:\n {2}\$ /, words);
    }
  });

  test('an empty argument, and an empty or missing value of an option, is refused by every command', async () => {
    const refused = async (words: string, args: readonly string[], why = /is empty|is invalid/): Promise<void> => {
      const whole = await program();
      for (const [, command] of [['', whole] as const, ...all(whole)])
        command.configureOutput({ writeErr: () => undefined }).exitOverride();
      await assert.rejects(
        whole.parseAsync([...words.split(' '), ...args], { from: 'user' }),
        (error) => error instanceof CommanderError && error.exitCode !== 0 && why.test(error.message),
        `${words} ${JSON.stringify(args)}`,
      );
    };
    for (const [words, command] of all(await program())) {
      if (groups.has(words)) continue;
      const given = command.registeredArguments.map(() => 'x');
      const needed = command.options.filter(({ mandatory }) => mandatory).flatMap(({ long }) => [long!, 'x']);
      for (const index of given.keys()) await refused(words, [...needed, ...given.with(index, '')]);
      for (const { long } of command.options.filter((option) => option.required && option.long !== '--reason'))
        await refused(words, [...needed, ...given, long!, '']);
    }
    await refused('push', ['x', '--api-url', '']);

    // What `--name $NAME --checksum` comes to without the variable: no name, and no `--checksum` either.
    await refused('push', ['x', '--name', '--checksum'], /--name <name> is missing, and --checksum follows it; is a variable not set/);
    await refused('push', ['x', '--name', '--jobs=2'], /--name <name> is missing, and --jobs=2 follows it/);
    await refused('push', ['x', '--name', '--json'], /--name <name>' argument missing/);
    await refused('push', ['x', '--api-url', '--json'], /--api-url <url> is missing/);
    await refused('retention extend', ['x', '--reason', '--until', 'y'], /--reason <reason> is missing, and --until/);
    await refused('secrets scan', ['x', '--known', '--public', 'A'], /--known <file...> is missing|argument missing/);
    const needed = ['--store', 'x', '--bucket', 'b'];
    await refused('provider rotate', [...needed, '--other-bucket', '--dry-run'], /--other-bucket <name> is missing, and --dry-run/);
  });

  test('every exit code is documented', () => {
    for (const code of new Set([...Object.values(exitCode), ...Object.values(exitCodes)]))
      assert.match(documentation, new RegExp(`^\\| ${code} \\|`, 'm'));
  });
});

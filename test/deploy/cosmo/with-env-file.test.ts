import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';

const wrapper = join(import.meta.dirname, '../../../deploy/cosmo/scripts/with-env-file.sh');
/** What images have as `sh`: that of Debian, that of Red Hat, that of Alpine. Whichever of them is here. */
const shells = [['dash'], ['bash', '--posix'], ['busybox', 'sh']].filter(
  ([program = '', ...args]) => spawnSync(program, [...args, '-c', ':']).status === 0,
);

describe('the wrapper that reads an env file', () => {
  const directory = mkdtempSync(join(tmpdir(), 'artifactstore-wrapper-'));
  const file = join(directory, 'a.env');
  after(() => rmSync(directory, { recursive: true }));

  function run(shell: readonly string[], text: string | Buffer, command: readonly string[], environment: Record<string, string> = {}) {
    writeFileSync(file, text);
    const [program = '', ...args] = shell;
    return spawnSync(program, [...args, wrapper, file, ...command], {
      encoding: 'utf8',
      env: { PATH: process.env.PATH ?? '', ENV_FILE_WAIT: '0', ...environment },
    });
  }
  const show = ['node', '-e', 'const { PATH, PWD, SHLVL, _, ...rest } = process.env; console.log(JSON.stringify(rest))'];

  test('gives a command what is in the file, and takes nothing of itself along', () => {
    assert.ok(shells.length > 0);
    for (const shell of shells) {
      const text = '# a comment\n\nA=1\nDB_URL=postgresql://u:p%40@db:5432/x?a=b&c=d,e~f\nLAST=x=y';
      const { status, stdout, stderr } = run(shell, text, show);
      assert.deepEqual([status, stderr], [0, ''], shell.join(' '));
      assert.deepEqual(JSON.parse(stdout), { A: '1', DB_URL: 'postgresql://u:p%40@db:5432/x?a=b&c=d,e~f', LAST: 'x=y' });
      const some = run(shell, text, show, { ENV_FILE_NAMES: 'LAST,A', LC_ALL: 'C.UTF-8' });
      assert.deepEqual(JSON.parse(some.stdout), { A: '1', LAST: 'x=y', LC_ALL: 'C.UTF-8' });
    }
  });

  test('hands on arguments as they are, and how the command ends', () => {
    for (const shell of shells) {
      const { status, stdout } = run(shell, 'A=1\n', ['sh', '-c', 'printf "%s|" "$@"; exit 7', 'x', 'a b', '', '*']);
      assert.deepEqual([status, stdout], [7, 'a b||*|']);
    }
  });

  const hush = 'hush-1234';
  const wrong: readonly (readonly [text: string, told: RegExp])[] = [
    [`\ufeffA=${hush}\n`, /line 1: begins with a byte order mark/],
    [`A=1\r\nB=${hush}\r\n`, /line 1: ends with a carriage return/],
    [`A=${hush}\nA=${hush}\n`, /line 2: A is there twice/],
    ['A=\n', /line 1: A is empty/],
    ['A=<no value>\n', /line 1: A is "<no value>"/],
    [`A="${hush}"\n`, /A has a sign/],
    [`A='${hush}'\n`, /A has a sign/],
    [`A=$(echo ${hush})\n`, /A has a sign/],
    [`A=\`${hush}\`\n`, /A has a sign/],
    [`A=\${${hush}}\n`, /A has a sign/],
    [`A=${hush};id\n`, /A has a sign/],
    [`A=${hush} # why\n`, /A has a sign/],
    [`A= ${hush}\n`, /A has a sign/],
    [`A=${hush}\\\n`, /A has a sign/],
    ['A=gehe\u00efm-1234\n', /A has a sign/],
    [`export A=${hush}\n`, /line 1: begins with "export"/],
    [` A=${hush}\n`, /line 1: does not begin with a name in capitals/],
    [`a=${hush}\n`, /does not begin with a name in capitals/],
    [`=${hush}\n`, /does not begin with a name in capitals/],
    [`A-B=${hush}\n`, /does not begin with a name in capitals/],
    [`${hush}\n`, /line 1: is not NAME=value/],
    ['A=changeme\n', /A is a placeholder/],
    ['A=Change-Me-Please\n', /A is a placeholder/],
    ['A=xxxxxx\n', /A is a placeholder/],
    ['PATH=/tmp\n', /PATH changes how programs run/],
    ['LD_PRELOAD=/tmp/x.so\n', /LD_PRELOAD changes/],
    ['NODE_OPTIONS=--require=/tmp/x\n', /NODE_OPTIONS changes/],
    ['BASH_ENV=/tmp/x\n', /BASH_ENV changes/],
  ];

  test('refuses what readers of such files treat differently, names the line, and runs nothing', () => {
    for (const [index, [text]] of wrong.entries()) writeFileSync(join(directory, `wrong-${index}`), text);
    // One process for all of them: starting one from here costs more than what it does.
    const all = `for each in "$0"/wrong-*; do printf '%s ' "\${each##*-}"; "$@" "$each" echo ran 2>&1 | tr '\\n' ' '; echo; done`;
    for (const shell of shells) {
      const ran = spawnSync('bash', ['-c', `set -o pipefail; ${all}`, directory, ...shell, wrapper], {
        encoding: 'utf8',
        env: { PATH: process.env.PATH ?? '', ENV_FILE_WAIT: '0' },
      });
      const lines = new Map(
        ran.stdout
          .trimEnd()
          .split('\n')
          .map((line) => [Number(line.split(' ', 1)[0]), line] as const),
      );
      for (const [index, [text, told]] of wrong.entries()) {
        const what = `${shell.join(' ')}: ${JSON.stringify(text)}`;
        assert.match(lines.get(index) ?? '', told, what);
        assert.doesNotMatch(lines.get(index) ?? '', /\bran\b|hush|1234/, what);
      }
    }
    assert.equal(run(shells[0]!, wrong[0]?.[0] ?? '', ['echo', 'ran']).status, 78);
  });

  test('says all that is wrong at once, and which names are missing', () => {
    const { status, stderr } = run(shells[0]!, 'A=\nB=1\nC=changeme\n', ['true'], { ENV_FILE_NAMES: 'B,D,E' });
    assert.equal(status, 78);
    assert.match(stderr, /A is empty\n.*C is a placeholder\n.*has no D: is its key in Vault, and in the template\?\n.*has no E/);
  });

  test('prints nothing of a value where the shell traces', () => {
    for (const shell of shells) {
      const traced = run([...shell, '-xv'], `A=${hush}\n`, ['true']);
      assert.equal(traced.status, 0);
      assert.ok(!traced.stderr.includes(hush), traced.stderr);
    }
  });

  test('waits for a file, and says what to look at when it does not come', () => {
    const [program = '', ...args] = shells[0]!;
    const missing = spawnSync(program, [...args, wrapper, join(directory, 'none'), 'true'], {
      encoding: 'utf8',
      env: { PATH: process.env.PATH ?? '', ENV_FILE_WAIT: '0' },
    });
    assert.equal(missing.status, 69);
    assert.match(missing.stderr, /is not there, or empty: does the agent run, and is Vault unsealed\?/);
    assert.equal(run(shells[0]!, '', ['true']).status, 69);
    assert.equal(run(shells[0]!, 'A=1\n', []).status, 64);
    writeFileSync(file, '');
    const late = spawnSync('sh', ['-c', `(sleep 0.3; echo A=1 > "$1") & exec sh "$2" "$1" sh -c 'echo $A'`, 'x', file, wrapper], {
      encoding: 'utf8',
    });
    assert.equal(late.stdout, '1\n');
  });
});

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { accessSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { checkPosture } from '../../src/posture/check-posture.ts';
import { readStack } from '../../src/posture/stack.ts';
import { rightStack } from './stack-of.ts';

const root = join(import.meta.dirname, '../..');
const program = join(root, 'node_modules/.cache/stores/compose-config/compose-config');
const run = promisify(execFile);
const place = { volume: 'vault-secrets', target: '/secrets', agent: 'vault-agent' };

function whyNot(): string | false {
  try {
    accessSync(program);
    return false;
  } catch {
    return `${program} not found; tools/lint/install-compose-config.sh installs it`;
  }
}

/** Each is what one Compose file after the other says; the first two are given, others are referred to. */
const stacks: readonly (readonly [what: string, files: Readonly<Record<string, string>>])[] = [
  ['right', { a: rightStack('volumes: ["vault-secrets:/secrets:ro"]'), b: 'services: {}\n' }],
  ['ports of two files', { a: rightStack('ports: ["1:1"]'), b: 'services: {s: {ports: ["2:2"]}}\n' }],
  ['ports that are taken out', { a: rightStack('ports: ["1:1"]'), b: 'services: {s: {ports: !reset []}}\n' }],
  ['ports that are replaced by none', { a: rightStack('ports: ["1:1"]'), b: 'services: {s: {ports: !override []}}\n' }],
  ['a service that is taken out', { a: rightStack('privileged: true'), b: 'services: {s: !reset null}\n' }],
  [
    'a mount that is opened',
    { a: rightStack('volumes: ["vault-secrets:/secrets:ro"]'), b: 'services: {s: {volumes: ["vault-secrets:/secrets"]}}\n' },
  ],
  [
    'a mount that is closed',
    { a: rightStack('volumes: ["vault-secrets:/secrets"]'), b: 'services: {s: {volumes: ["vault-secrets:/secrets/:ro"]}}\n' },
  ],
  ['a mount in long form', { a: rightStack('volumes: [{type: volume, source: vault-secrets, target: /secrets}]'), b: 'services: {}\n' }],
  [
    'labels as a list, then as a map',
    { a: rightStack('labels: ["traefik.enable=false"]'), b: 'services: {s: {labels: {traefik.enable: "true"}}}\n' },
  ],
  [
    'a label that is taken out',
    { a: rightStack('labels: {traefik.enable: "true"}'), b: 'services: {s: {labels: {traefik.enable: !reset null}}}\n' },
  ],
  [
    'an environment of two forms',
    { a: rightStack('environment: [A=1, B_PASSWORD=x]'), b: 'services: {s: {environment: {B_PASSWORD: ""}}}\n' },
  ],
  ['a command that is replaced', { a: rightStack('command: [sh, -xc, run]'), b: 'services: {s: {command: [run]}}\n' }],
  [
    'a check that is replaced',
    { a: rightStack('healthcheck: {test: [CMD, printenv]}'), b: 'services: {s: {healthcheck: {test: [CMD, "true"]}}}\n' },
  ],
  ['networks of two files', { a: rightStack(), b: 'services: {s: {networks: [other]}}\nnetworks: {other: {}}\n' }],
  ['a network that is opened', { a: rightStack(), b: 'networks: {inside: {internal: false}}\n' }],
  ['an image that is replaced', { a: rightStack(), b: 'services: {s: {image: "nats:latest"}}\n' }],
  [
    'a service that extends one of another file',
    {
      a: rightStack('extends: {file: sub/c, service: t}'),
      b: 'services: {}\n',
      'sub/c': 'services: {t: {extends: u, image: c}, u: {privileged: true, ports: ["1:1"]}}\n',
    },
  ],
  [
    'a service that extends and overrides',
    {
      a: rightStack('extends: u').replace(
        'services:',
        'services:\n  u: {image: "u:1.2", networks: [inside], command: [sh, -xc, run], pid: host}',
      ),
      b: 'services: {s: {command: [run]}}\n',
    },
  ],
  ['an included file', { a: `include: [sub/c]\n${rightStack()}`, b: 'services: {}\n', 'sub/c': 'services: {v: {image: v}}\n' }],
  [
    'anchors and merges',
    {
      a: rightStack('<<: *open').replace('services:', 'x-open: &open\n  ports: ["1:1"]\n  cap_add: [ALL]\nservices:'),
      b: 'services: {}\n',
    },
  ],
];

describe('what compose-go makes of Compose files', { skip: whyNot() }, () => {
  const directory = mkdtempSync(join(tmpdir(), 'artifactstore-compose-go-'));
  after(() => rmSync(directory, { recursive: true }));

  /** `rule service` of each finding. */
  async function judged(paths: readonly string[]): Promise<readonly string[]> {
    const stack = await readStack(paths, async (path) => readFileSync(path, 'utf8'));
    return [...new Set(checkPosture(stack, place).map(({ rule, service }) => `${rule} ${service ?? '-'}`))].sort();
  }

  for (const [index, [what, files]] of stacks.entries())
    test(`is judged as the files themselves: ${what}`, async () => {
      const folder = join(directory, `stack-${index}`);
      for (const [name, text] of Object.entries(files)) {
        mkdirSync(dirname(join(folder, name)), { recursive: true });
        writeFileSync(join(folder, name), text);
      }
      const given = [join(folder, 'a'), join(folder, 'b')];
      const { stdout } = await run(program, ['-print', ...given]);
      writeFileSync(join(folder, 'whole.yaml'), stdout);
      assert.deepEqual(await judged(given), await judged([join(folder, 'whole.yaml')]), stdout);
    });

  test('it takes the stack of Cosmo, and so do the rules', async () => {
    const own = join(root, 'deploy/cosmo/compose.yaml');
    const { stdout } = await run(program, ['-print', own]);
    writeFileSync(join(directory, 'cosmo.yaml'), stdout);
    assert.deepEqual(await judged([own]), []);
    assert.deepEqual(await judged([join(directory, 'cosmo.yaml')]), []);
  });
});

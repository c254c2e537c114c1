import assert from 'node:assert/strict';
import test from 'node:test';
import { findingsIn, refusalOf, rightStack } from './stack-of.ts';

test('an anchor, an extended service and an included file are looked into, and named', async () => {
  const anchor = rightStack('<<: *open').replace('services:', 'x-open: &open\n  ports: ["1:1"]\nservices:');
  assert.deepEqual(await findingsIn({ a: anchor }), ['no-ports violated s a:2 publishes port 1:1 on the host']);

  const files = {
    a: rightStack('extends: {file: dir/b, service: t}'),
    'dir/b': 'services:\n  t:\n    extends: u\n  u:\n    ports: ["2:2"]\n    privileged: true\n',
  };
  assert.deepEqual(await findingsIn(files), [
    'no-ports violated s dir/b:5 publishes port 2:2 on the host',
    'no-host-access violated s dir/b:6 is privileged, and so is the host to it',
  ]);

  const including = {
    a: `include: [dir/c, {path: [d]}]\n${rightStack()}`,
    'dir/c': 'services: {c: {image: c}}',
    d: 'services: {d: {image: d}}',
  };
  const found = await findingsIn(including);
  assert.equal(found.filter((each) => each.startsWith('image-pinned violated')).length, 2);
});

test('several files are merged before they are judged', async () => {
  const open = 'services:\n  s:\n    volumes: ["vault-secrets:/secrets"]\n';
  const right = rightStack('volumes: ["vault-secrets:/secrets:ro"]', 'ports: ["1:1"]');
  assert.deepEqual(await findingsIn({ a: right, b: open }, 'a', 'b'), [
    'no-ports violated s a:10 publishes port 1:1 on the host',
    'secrets-read-only violated s b:3 may write to vault-secrets, as the agent alone may',
  ]);
  assert.deepEqual(await findingsIn({ a: right, b: 'services:\n  s:\n    ports: !reset []\n' }, 'a', 'b'), []);
  assert.deepEqual(await findingsIn({ a: right, b: 'services:\n  s: !reset null\n' }, 'a', 'b'), []);
  assert.deepEqual(
    await findingsIn({ a: right, b: 'services:\n  s:\n    ports: !override []\nnetworks: {inside: {internal: false}}\n' }, 'a', 'b'),
    ['one-internal-network violated - b:4 the network "inside" is not internal'],
  );
});

test('what cannot be read as a stack is refused with its place', async () => {
  assert.match(await refusalOf({ a: 'services:\n  a: {image: x}\n  a: {}\n' }), /^\/a:3: it is no YAML/);
  const two = `${rightStack()}---\nservices: {s: {ports: ["1:1"]}}\n`;
  assert.match(await refusalOf({ a: two }), /^\/a:14: another document begins here, which Compose merges: give each a file/);
  assert.deepEqual(await findingsIn({ a: `---\n${rightStack()}...\n` }), []);
  assert.match(await refusalOf({ a: 'networks: {}\n' }), /^\/a:1: it has no services/);
  assert.match(await refusalOf({ a: 'services: [a]\n' }), /^\/a:1: "services" is not a map/);
  assert.match(await refusalOf({ a: 'services:\n  a: text\n' }), /^\/a:2: the service "a" is no map/);
  assert.match(await refusalOf({ a: 'services:\n  a: {extends: b}\n' }), /^\/a has no service "b" to extend/);
  assert.match(await refusalOf({ a: 'services:\n  a: {extends: {file: b}}\n' }), /^\/a:2: "extends" names no service/);
  assert.match(await refusalOf({ a: `services:\n  a: {extends: {service: a, file: "\${F}"}}\n` }), /wants a name here, without variables/);
  assert.match(await refusalOf({ a: 'services:\n  a: {extends: b}\n  b: {extends: a}\n' }), /extends itself/);
  assert.match(await refusalOf({ a: 'include: [a]\nservices: {a: {}}\n' }), /includes itself, by \/a/);
  const many = Object.fromEntries(Array.from({ length: 102 }, (_, index) => [`f${index}`, `include: [f${index + 1}]\nservices: {}\n`]));
  assert.match(await refusalOf(many), /more than 100 others/);
});

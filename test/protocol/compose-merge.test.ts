import assert from 'node:assert/strict';
import test from 'node:test';
import { type ComposeMap, type ComposeNode, parseComposeFile } from '../../src/protocol/compose-file.ts';
import { hasVariable, inLongForm, mergeCompose, readMount, tidyPath, withoutReset } from '../../src/protocol/compose-merge.ts';

function service(text: string, file = 'a.yaml'): ComposeMap {
  const result = parseComposeFile(text, file);
  assert.ok('root' in result);
  return inLongForm(result.root);
}

function plain(node: ComposeNode): unknown {
  if (node.kind === 'scalar') return node.text;
  return node.kind === 'list' ? node.items.map(plain) : Object.fromEntries([...node.entries].map(([name, each]) => [name, plain(each)]));
}

const merged = (base: string, over: string): unknown => plain(withoutReset(mergeCompose(service(base), service(over, 'b.yaml'))));

test('maps meet by name, lists follow each other, commands are replaced', () => {
  assert.deepEqual(merged('image: a\nuser: u\n', 'image: b\n'), { image: 'b', user: 'u' });
  assert.deepEqual(merged('ports: ["1:1"]\ncommand: [a, b]\n', 'ports: ["2:2"]\ncommand: [c]\n'), {
    ports: ['1:1', '2:2'],
    command: ['c'],
  });
  assert.deepEqual(merged('healthcheck: {test: [CMD, a], interval: 1s}\n', 'healthcheck: {test: b}\n'), {
    healthcheck: { test: 'b', interval: '1s' },
  });
});

test('an environment, labels and networks meet whether they are lists or maps', () => {
  assert.deepEqual(merged('environment: [A=1, B=2]\nlabels: {l: "1"}\n', 'environment: {A: "3", C: }\nlabels: [l=2, m]\n'), {
    environment: { A: '3', B: '2', C: null },
    labels: { l: '2', m: null },
  });
  assert.deepEqual(merged('networks: [a]\n', 'networks: {b: {aliases: [x]}}\n'), { networks: { a: null, b: { aliases: ['x'] } } });
  assert.deepEqual(merged('env_file: a\ntmpfs: /t\n', 'env_file: [b]\n'), { env_file: ['a', 'b'], tmpfs: ['/t'] });
});

test('mounts meet by their target, however they are written', () => {
  const over = merged('volumes: ["v:/secrets:ro", "d:/data"]\n', 'volumes: [{type: volume, source: v, target: /secrets/}]\n');
  assert.deepEqual(over, { volumes: { '/secrets': { type: 'volume', source: 'v', target: '/secrets/' }, '/data': 'd:/data' } });
});

test('what has no name is not taken away by another file', () => {
  const { volumes } = merged('volumes: ["$A:/x"]\n', 'volumes: ["$B:/x"]\n') as { readonly volumes: object };
  assert.deepEqual(Object.values(volumes), ['$A:/x', '$B:/x']);
});

test('!override replaces, !reset takes out, and a key without a value says nothing', () => {
  assert.deepEqual(merged('ports: ["1:1"]\n', 'ports: !override ["2:2"]\n'), { ports: ['2:2'] });
  assert.deepEqual(merged('ports: ["1:1"]\nimage: a\n', 'ports: !reset []\n'), { image: 'a' });
  assert.deepEqual(merged('environment: {A: "1", B: "2"}\n', 'environment: {A: !reset null}\n'), { environment: { B: '2' } });
  assert.deepEqual(merged('ports: ["1:1"]\n', 'ports:\n'), { ports: ['1:1'] });
  assert.deepEqual(merged('image: a\n', 'deploy: {labels: !reset {a: "1"}}\n'), { image: 'a', deploy: {} });
});

test('a mount is read in both forms, and not guessed where a variable is', () => {
  const read = (text: string): unknown => readMount(service(`a: ${text}`).entries.get('a')!);
  assert.deepEqual(read('v:/secrets:z,ro'), { type: 'volume', source: 'v', target: '/secrets', readOnly: true });
  assert.deepEqual(read('./d:/data'), { type: 'bind', source: './d', target: '/data', readOnly: false });
  assert.deepEqual(read('/data'), { type: 'volume', source: undefined, target: '/data', readOnly: false });
  assert.deepEqual(read('{type: bind, source: /d, target: /x, read_only: true}'), {
    type: 'bind',
    source: '/d',
    target: '/x',
    readOnly: true,
  });
  for (const unreadable of [`"v:/secrets:\${MODE}"`, `"\${V}:/secrets"`, '{source: v}', 'a:b:c:d', '[a]', ''])
    assert.equal(read(unreadable), undefined, unreadable);
});

test('a dollar that is written twice is no variable', () => {
  assert.deepEqual(['$A', `\${A:-b}`, 'a$$A', '$$$A', '5$', 'a'].map(hasVariable), [true, true, false, true, false, false]);
  assert.deepEqual(['/secrets/', '/secrets/.', '//secrets', '/'].map(tidyPath), ['/secrets', '/secrets', '/secrets', '/']);
});

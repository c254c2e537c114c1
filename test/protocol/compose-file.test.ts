import assert from 'node:assert/strict';
import test from 'node:test';
import { type ComposeNode, parseComposeFile } from '../../src/protocol/compose-file.ts';

function parsed(text: string): ComposeNode {
  const result = parseComposeFile(text, 'a.yaml');
  assert.ok('root' in result, JSON.stringify(result));
  return result.root;
}

function refused(text: string): string {
  const result = parseComposeFile(text, 'a.yaml');
  assert.ok('problem' in result);
  return `${result.at.line}: ${result.problem}`;
}

function at(node: ComposeNode, ...path: readonly string[]): ComposeNode {
  const [first, ...rest] = path;
  if (first === undefined) return node;
  const inner = node.kind === 'map' ? node.entries.get(first) : node.kind === 'list' ? node.items[Number(first)] : undefined;
  assert.ok(inner !== undefined, `nothing at ${first}`);
  return at(inner, ...rest);
}

const text = (node: ComposeNode): string | null | undefined => (node.kind === 'scalar' ? node.text : undefined);

test('says where each value is, and how it is written', () => {
  const root = parsed('services:\n  a:\n    ports:\n      - 0x50:80\n    on: "true"\n    empty:\n');
  assert.equal(at(root, 'services', 'a', 'ports').at.line, 3);
  assert.equal(at(root, 'services', 'a', 'ports', '0').at.line, 4);
  assert.equal(text(at(root, 'services', 'a', 'ports', '0')), '0x50:80');
  assert.equal(text(at(root, 'services', 'a', 'on')), 'true');
  assert.equal(text(at(root, 'services', 'a', 'empty')), null);
});

test('follows anchors and merges, where what is there counts for more, and the first for more than the next', () => {
  const root = parsed(
    'x-a: &a {image: a, user: one}\nx-b: &b {image: b, pid: host}\nservices:\n  s:\n    <<: [*a, *b]\n    user: two\n  t: *a\n',
  );
  assert.equal(text(at(root, 'services', 's', 'image')), 'a');
  assert.equal(text(at(root, 'services', 's', 'user')), 'two');
  assert.equal(text(at(root, 'services', 's', 'pid')), 'host');
  assert.equal(at(root, 'services', 's', 'pid').at.line, 2);
  assert.equal(text(at(root, 'services', 't', 'image')), 'a');
});

test('knows the tags that replace and take out', () => {
  const root = parsed('a: !reset null\nb: !override\n  - 1\n');
  assert.equal(at(root, 'a').tag, 'reset');
  assert.equal(at(root, 'b').tag, 'override');
});

test('refuses what Compose does not take, with the line', () => {
  assert.match(refused('a: 1\na: 2\n'), /^2: it is no YAML .*unique/);
  assert.match(refused('a: [\n'), /^\d: it is no YAML/);
  assert.match(refused('- a\n'), /^1: it holds no map of services/);
  assert.match(refused(''), /it holds no map of services/);
  assert.match(refused('a: *b\n'), /^1: .*anchor/);
  assert.match(refused('a: &a\n  b: *a\n'), /an anchor holds itself/);
  assert.match(refused('a: 1\n<<: text\n'), /^2: "<<" wants a map/);
  assert.match(refused('? [a]\n: 1\n'), /^1: a key is no text/);
});

test('does not unfold a bomb of anchors', () => {
  const levels = ['a0: &a0 [x, x, x, x, x, x, x, x, x, x]'];
  for (let level = 1; level < 9; level++)
    levels.push(
      `a${level}: &a${level} [${Array(10)
        .fill(`*a${level - 1}`)
        .join(', ')}]`,
    );
  assert.match(refused(levels.join('\n')), /its anchors stand for more than 100000 values/);
});

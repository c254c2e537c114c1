import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseActorTemplate, renderActor } from '../../../src/identity/grants/actor-template.ts';

const claims = {
  ref: 'refs/heads/main',
  run: 7,
  ok: true,
  list: ['a'],
  a: { 'b c': 'deep' },
  odd: 'x\u0000\u202Ey\nz',
  long: 'l'.repeat(500),
};

test('an actor is text with the values of claims in it', () => {
  const render = (text: string) => renderActor(parseActorTemplate(text), claims);
  assert.deepEqual(render('ci'), { actor: 'ci' });
  assert.deepEqual(render('github:acme/app@{ref}#{run}{ok}'), { actor: 'github:acme/app@refs/heads/main#7true' });
  assert.deepEqual(render('x{/a/b c}'), { actor: 'xdeep' });
  assert.deepEqual(render('x{odd}'), { actor: 'xx\uFFFD\uFFFDy\uFFFDz' });
});

test('an actor that is too long is cut, and says so', () => {
  const rendered = renderActor(parseActorTemplate('x:{long}'), claims);
  assert.ok('actor' in rendered && rendered.actor.length === 256 && rendered.actor.endsWith('l…'));
});

test('a claim that is missing, or has no text, is named', () => {
  for (const [text, missing] of [
    ['x{none}', 'none'],
    ['x{list}', 'list'],
    ['x{a}', 'a'],
    ['x{/a/c}', '/a/c'],
  ] as const)
    assert.deepEqual(renderActor(parseActorTemplate(text), claims), { missing });
});

test('a template is refused that could make any name, and one with a brace too few or too many', () => {
  for (const [text, why] of [
    ['{ref}', /must begin with text of its own/],
    [':{ref}', /must begin with text of its own/],
    ['x{ref', /a brace without its other/],
    ['xref}', /a brace without its other/],
    ['x{{ref}}', /a brace without its other/],
    ['x{}', /the name of a claim is empty/],
    ['x{/a~3}', /JSON pointer/],
    ['x\u202E', /cannot be printed/],
    ['', /1 to 256/],
  ] as const)
    assert.throws(() => parseActorTemplate(text), why, text);
});

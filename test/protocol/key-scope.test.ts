import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  type AskInScope,
  isRefusal,
  type ScopeQuestion,
  type ScopeReply,
  tryAccount,
  tryBesidePrefix,
  tryList,
  tryWrite,
  useWithin,
} from '../../src/protocol/key-scope.ts';

const target = { bucket: 'artifacts', key: 'mine/a', body: 'x' };
const denied: ScopeReply = { status: 403, text: '<Error><Code>AccessDenied</Code></Error>' };

/** Answers in turn, and what it was asked. */
function answering(...replies: readonly ScopeReply[]): { readonly ask: AskInScope; readonly asked: ScopeQuestion[] } {
  const asked: ScopeQuestion[] = [];
  const left = [...replies];
  const ask: AskInScope = async (question) => {
    asked.push(question);
    return left.shift() ?? denied;
  };
  return { asked, ask };
}

describe('the scope of keys', () => {
  test('is used in four steps; after a write that is refused nothing else is asked', async () => {
    const good = answering({ status: 200, text: '' }, { status: 200, text: '' }, { status: 200, text: 'y' }, { status: 204, text: '' });
    assert.deepEqual(
      (await useWithin(good.ask, target)).map(({ what, result }) => [what, result]),
      [
        ['write', 'holds'],
        ['head', 'holds'],
        ['read', 'fails'],
        ['delete', 'holds'],
      ],
    );
    const bad = answering(denied);
    assert.deepEqual(await useWithin(bad.ask, target), [{ what: 'write', result: 'fails', told: '403 AccessDenied' }]);
    assert.equal(bad.asked.length, 1);
  });

  test('deletes what was written also where the read behind it has no answer', async () => {
    const { ask, asked } = answering({ status: 200, text: '' });
    const cut: AskInScope = async (question) => {
      if (question.method === 'HEAD') throw new Error('cut');
      return await ask(question);
    };
    await assert.rejects(useWithin(cut, target), /cut/);
    assert.deepEqual(
      asked.map(({ method }) => method),
      ['PUT', 'DELETE'],
    );
  });

  test('leaves no version of what it wrote, and asks once for what keys may not delete', async () => {
    const taken: readonly ScopeReply[] = [
      { status: 200, text: '', versionId: 'v1' },
      { status: 200, text: '' },
      { status: 200, text: 'x' },
      { status: 204, text: '', versionId: 'mark' },
    ];
    const { ask } = answering(...taken);
    const once = answering({ status: 204, text: '' }, { status: 204, text: '' });
    const found = await useWithin(ask, target, once.ask);
    assert.deepEqual(
      once.asked.map(({ method, key, query }) => [method, key, query?.versionId]),
      [
        ['DELETE', target.key, 'v1'],
        ['DELETE', target.key, 'mark'],
      ],
    );
    assert.deepEqual(found.at(-1), { what: 'delete', result: 'holds', told: '204' });
    const narrow = await useWithin(answering(...taken).ask, target, answering(denied, denied).ask);
    assert.deepEqual(narrow.at(-1), { what: 'delete', result: 'holds', told: '204; a version stays: artifacts/mine/a (403 AccessDenied)' });
    // A bucket whose versions are suspended calls each one "null": to delete it by that name would delete the object.
    const suspended = answering();
    await useWithin(
      answering({ status: 200, text: '', versionId: 'null' }, denied, denied, { status: 204, text: '' }).ask,
      target,
      suspended.ask,
    );
    assert.deepEqual(suspended.asked, []);
  });

  test('ends at refusals, and at nothing else', async () => {
    for (const status of [401, 403]) {
      assert.equal(isRefusal({ status }), true);
      assert.equal((await tryWrite(answering({ status, text: '' }).ask, target)).result, 'holds');
    }
    for (const status of [301, 404, 405, 500, 501, 503]) {
      const reply = { status, text: '' };
      for (const found of [
        await tryWrite(answering(reply).ask, target),
        await tryList(answering(reply).ask, 'other'),
        await tryAccount(answering(reply).ask, () => false),
      ])
        assert.deepEqual(found, { result: 'unknown', told: `${status}: that is no refusal` });
    }
  });

  test('is left by a write that is taken, which is deleted by its version, or named', async () => {
    const kept = answering({ status: 200, text: '', versionId: 'v1' }, { status: 500, text: '' });
    const { result, told } = await tryBesidePrefix(kept.ask, 'mine', { ...target, key: 'a' });
    assert.deepEqual([result, told], ['fails', '200; what was written could not be deleted: artifacts/mine-outside/a (500)']);
    assert.deepEqual(kept.asked[1], { method: 'DELETE', bucket: 'artifacts', key: 'mine-outside/a', query: { versionId: 'v1' } });
    assert.equal((await tryBesidePrefix(kept.ask, '', target)).result, 'not_applicable');
  });

  test('shows no bucket of the account but its own', async () => {
    const list = (...names: readonly string[]): ScopeReply => ({
      status: 200,
      text: `<Owner><Name>x</Name></Owner>${names.map((name) => `<Bucket><Name>${name}</Name></Bucket>`).join('')}`,
    });
    const found = async (...names: readonly string[]) => await tryAccount(answering(list(...names)).ask, (name) => name === 'artifacts');
    assert.deepEqual(await found(), { result: 'holds', told: '200: nothing but an empty list' });
    assert.deepEqual(await found('artifacts'), { result: 'holds', told: '200: nothing but this bucket' });
    assert.deepEqual(await found('artifacts', 'b', 'c'), { result: 'fails', told: '200: it shows 2 more' });
  });
});

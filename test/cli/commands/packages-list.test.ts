import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openServedWorkplace } from '../served-workplace.ts';

test('a metadata key with a dot is refused with the words to type', async () => {
  await using served = await openServedWorkplace();
  const { place } = served;
  const { code, stderr } = await place.run('packages', 'list', '--metadata', "a.b=it's");
  assert.equal(code, 2);
  const [, hint = ''] = /^hint: (.*)$/m.exec(stderr) ?? [];
  assert.equal(hint, `--metadata '"a.b"=it'\\''s'`);
  const asked = await place.shell(`$A packages list ${hint}`);
  assert.deepEqual([asked.code, asked.stderr], [0, 'no packages\n']);
});

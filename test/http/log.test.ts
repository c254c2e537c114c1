import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';

const url = new URL('../../src/http/log.ts', import.meta.url).href;

test('what others say does nothing to the terminal that shows the log, and says the same', () => {
  const said = '\u001b[8m \u009b31m \u202e \u2028 \u200b \u007f';
  const program = `import { createLog } from ${JSON.stringify(url)};
    const log = createLog({ level: 'info' });
    log.logger.info({ path: ${JSON.stringify(said)} }, ${JSON.stringify(said)});
    await log.flush();`;
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '--eval', program], { encoding: 'utf8' });
  assert.doesNotMatch(stdout.trimEnd(), /[\p{Cc}\p{Bidi_Control}\u2028\u2029\u200b]/u, stderr);
  const { path, msg } = JSON.parse(stdout) as { readonly path: string; readonly msg: string };
  assert.deepEqual([path, msg], [said, said]);
});

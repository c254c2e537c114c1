import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { parse } from 'yaml';
import { action, component, openRunner } from './run-ci.ts';

describe('the files for platforms', () => {
  test('put no input into a script, and use nothing of anybody else', () => {
    assert.equal(action.runs.using, 'composite');
    for (const { run, uses } of action.runs.steps) {
      assert.doesNotMatch(run, /\$\{\{/);
      assert.equal(uses, undefined);
    }
    const required = { directory: 'd', api_url: 'https://a', producer: 'p' };
    for (const [name, job] of Object.entries(component(required).jobs)) {
      assert.equal(name, 'artifactstore-push');
      assert.deepEqual(job.id_tokens, { ARTIFACTSTORE_ID_TOKEN: { aud: '$ARTIFACTSTORE_API_URL' } });
      const marked = component(Object.fromEntries(Object.keys(component(required).inputs).map((input) => [input, `input_${input}`])));
      for (const { script } of Object.values(marked.jobs)) assert.doesNotMatch(script.join('\n'), /input_/);
    }
  });

  test('need the command line, and takes it from an address only with its digest', async () => {
    using bare = openRunner({ onPath: false });
    const inputs = { directory: '.', 'api-url': 'https://a.example.org', producer: 'acme-app' };
    for (const [more, told] of [
      [{}, /::error title=artifactstore::artifactstore is not on the PATH/],
      [{ package: 'https://127.0.0.1/a.tgz' }, /package is an address: set package-sha256 too/],
      [{ package: 'http://127.0.0.1/a.tgz' }, /neither a file nor an https address/],
    ] as const) {
      const { code, stdout } = await bare.runAction({ ...inputs, ...more }, {});
      assert.equal(code, 1);
      assert.match(stdout, told);
    }
  });

  test('have the inputs that docs/ci.md gives them, and every other one is described there', () => {
    const page = readFileSync(join(import.meta.dirname, '..', '..', 'docs', 'ci.md'), 'utf8');
    const examples = [...page.matchAll(/^```yaml\n(.*?)^```$/gms)].map(([, text = '']) => text);
    const [github = '', gitlab = ''] = examples;
    const used = Object.keys(parse(github).jobs.test.steps[1].with);
    for (const [name, { required }] of Object.entries(action.inputs)) {
      assert.ok(required !== true || used.includes(name), name);
      assert.match(page, new RegExp(`\`${name}\``));
    }
    const inputs: Readonly<Record<string, string>> = parse(gitlab).include[0].inputs;
    const known = Object.keys(component(inputs).inputs);
    for (const name of used) assert.ok(name in action.inputs, name);
    for (const name of Object.keys(inputs)) assert.ok(known.includes(name), name);
    assert.deepEqual(
      known
        .filter((name) => !['image', 'job', 'stage', 'timeout'].includes(name))
        .map((name) => name.replaceAll('_', '-'))
        .sort(),
      Object.keys(action.inputs).sort(),
    );
  });
});

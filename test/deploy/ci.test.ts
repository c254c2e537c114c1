import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { parse } from 'yaml';
import type { Finished } from '../cli/workplace.ts';
import { action, component, openRunner, type Runner } from './run-ci.ts';

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

  const inputs = { directory: '.', 'api-url': 'https://a.example.org', producer: 'acme-app' };
  const sign = async (): Promise<string> => 'the token of the job';
  /** Both, in the shells that their platforms run them in; GitHub has its words on one stream, GitLab on the other. */
  async function runBoth(runner: Runner, more: Readonly<Record<string, string>> = {}): Promise<readonly [action: Finished, job: Finished]> {
    const { 'api-url': api_url, ...same } = inputs;
    return [await runner.runAction({ ...inputs, ...more }, {}), await runner.runComponent({ ...same, api_url, ...more }, {}, sign, 'sh')];
  }

  test('need the command line, and take it from an address only with its digest', async () => {
    using bare = openRunner({ onPath: false });
    for (const [more, atGitHub, atGitLab] of [
      [{}, /::error title=artifactstore::artifactstore is not on the PATH/, /^artifactstore: it is not on the PATH of the image/],
      [{ package: 'https://127.0.0.1/a.tgz' }, /package is an address: set package-sha256 too/, /is an address: set package_sha256 too/],
      [{ package: 'http://127.0.0.1/a.tgz' }, /neither a file nor an https address/, /neither a file nor an https address/],
    ] as const) {
      const [action, job] = await runBoth(bare, more);
      assert.deepEqual([action.code, job.code], [1, 1]);
      assert.match(action.stdout, atGitHub);
      assert.match(job.stderr, atGitLab);
    }
  });

  test('need a Node.js that is new enough', async () => {
    using old = openRunner({ programs: { node: 'echo v22.1.0' } });
    const [action, job] = await runBoth(old);
    assert.deepEqual([action.code, job.code], [1, 1]);
    assert.match(action.stdout, /^::error title=artifactstore::Node\.js 24 or newer is needed/);
    assert.match(job.stderr, /^artifactstore: Node\.js 24 or newer is needed/);
  });

  test('end as the push ends: an answer that cannot be read is no success, and no line of a refusal is a command', async () => {
    using mute = openRunner({ onPath: false, programs: { artifactstore: "echo '{}'" } });
    for (const { code, stdout, stderr } of await runBoth(mute)) {
      assert.equal(code, 1);
      assert.match(stdout + stderr, /the package was pushed, and its answer could not be read/);
    }
    const refusal = JSON.stringify({ code: 'forbidden', detail: 'not 100%\n::error::x' });
    using refusing = openRunner({ onPath: false, programs: { artifactstore: `echo '${refusal.replaceAll('\\', '\\\\')}' >&2; exit 3` } });
    const [action, job] = await runBoth(refusing);
    assert.deepEqual([action.code, job.code], [3, 3]);
    assert.equal(action.stdout, '::error title=artifactstore::not 100%25%0A::error::x (forbidden)\n');
    assert.ok(![...action.stderr.split('\n'), ...job.stdout.split('\n')].some((line) => line.startsWith('::')));
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

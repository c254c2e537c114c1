import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { manifestOf, sha256Of } from '../../bundle/bundle-folder.ts';
import { openWorkplace, type Workplace } from '../workplace.ts';

describe('artifactstore bootstrap-serve', () => {
  let place: Workplace;
  before(() => {
    place = openWorkplace();
    place.write({ 'bundles/a.tar': 'bytes', 'bundles/bundle.json': JSON.stringify(manifestOf({ 'a.tar': 'bytes' })), 'empty/': '' });
  });
  after(() => place[Symbol.dispose]());

  test('serves the bundles of a directory until it is stopped, and makes nothing', async () => {
    const server = await place.serve('bootstrap-serve', '--root', 'bundles', '--port', '0');
    assert.match(server.url, /^http:\/\/127\.0\.0\.1:\d+$/);
    const answer = await fetch(`${server.url}/objects/sha256:${sha256Of('bytes')}/a.tar`);
    assert.equal(await answer.text(), 'bytes');
    assert.match(server.log(), /"bundles":\["gamma"\]/);
    assert.equal(await server.signal('SIGTERM'), 0);
    assert.ok(!existsSync(place.path('var')));
  });

  test('refuses what others could reach, and directories without a bundle, with exit code 2', async () => {
    for (const [args, expected] of [
      [['--root', 'bundles', '--host', '0.0.0.0'], /others could reach it/],
      [['--root', 'bundles', '--host', '::'], /others could reach it/],
      [['--root', 'empty'], /There is no bundle in/],
      [['--root', 'not-there'], /not there/],
      [['--root', 'bundles/a.tar'], /is not a directory/],
      [[], /--root/],
    ] as const) {
      const { code, stderr } = await place.run('bootstrap-serve', ...args, '--port', '0');
      assert.equal(code, 2, args.join(' '));
      assert.match(stderr, expected);
    }
    place.write({ 'broken/bundle.json': '{}' });
    const { code, stderr } = await place.run('bootstrap-serve', '--root', 'broken', '--port', '0', '--json');
    assert.deepEqual([code, (JSON.parse(stderr) as { readonly field: string }).field], [2, '/format']);
    const { stdout } = await place.run('bootstrap-serve', '--help');
    assert.match(stdout, /Examples:/);
  });
});

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { connectRegistry, type RemoteRegistry } from '../../src/client/connect.ts';
import { freePort } from '../cli/answering.ts';
import { patterned } from '../cli/tree.ts';
import { finished, openWorkplace, type RunningServer, type Workplace } from '../cli/workplace.ts';
import { startProxy } from '../pilot/proxy.ts';

describe('push, when something is stopped in the middle', () => {
  let place: Workplace;
  let server: RunningServer;
  let registry: RemoteRegistry;
  before(async () => {
    place = openWorkplace();
    server = await place.serve('serve', '--port', String(await freePort()));
    registry = connectRegistry({ url: server.url, token: 'cli-test-token' });
    for (let index = 0; index < 40; index += 1) place.write({ [`tree/${index}`]: patterned(300_000 + index) });
    for (let index = 0; index < 300; index += 1) place.write({ [`tree/small/${index}`]: `small ${index}` });
  });
  after(async () => {
    await registry.close();
    place[Symbol.dispose]();
  });

  /** Waits until so many files of packages of this name are there, and answers the package. */
  async function arrived(name: string, count: number): Promise<string> {
    for (let since = 0, files = 0, id = ''; ; ) {
      const { items } = await registry.events.page({ since, limit: 500, wait_seconds: 10 });
      for (const { event_type, payload } of items) {
        const said = payload as { readonly id: string; readonly name?: string; readonly package_id?: string };
        if (event_type === 'v1.package.created' && said.name === name) id = said.id;
        if (event_type === 'v1.file.ingested' && said.package_id === id) files += 1;
        if (files >= count) return id;
      }
      since = items.at(-1)?.sequence ?? since;
    }
  }

  test('a server that is killed and comes back is waited for', async () => {
    const pushing = finished(place.start('push', 'tree', '--name', 'killed', '--jobs', '1', '--json'));
    await arrived('killed', 5);
    await server.signal('SIGKILL');
    server = await place.serve('serve', '--port', String(server.port));
    const { code, stdout, stderr } = await pushing;
    assert.equal(code, 0, stderr);
    const { package_id, file_count } = JSON.parse(stdout) as { readonly package_id: string; readonly file_count: number };
    assert.equal(file_count, 340);
    assert.equal((await place.run('verify', package_id, 'tree')).code, 0);
    assert.equal((await place.run('verify', package_id)).code, 0);
    assert.equal((await place.json('events', 'verify')).ok, true);
  });

  test('Ctrl-C ends it with 130 and leaves no open package behind', async () => {
    place.write({ 'tree/new': patterned(2_000_000) });
    for (let index = 0; index < 12; index += 1) place.write({ [`tree/n${index}`]: patterned(900_000 + index) });
    let [files, stopped] = [0, false];
    // However slow this machine is, it is at work when it is stopped.
    await using proxy = await startProxy(server.url, async (method, path) => {
      if (method === 'PUT' && path.includes('/files/') && !stopped && ++files > 1) await new Promise(() => undefined);
    });
    const child = place.start('push', 'tree', '--name', 'stopped', '--jobs', '1', '--json', '--api-url', proxy.url);
    const ending = finished(child);
    const id = await arrived('stopped', 1);
    stopped = true;
    child.kill('SIGINT');
    const { code, stdout, stderr } = await ending;
    assert.equal(code, 130, stderr);
    assert.equal(stdout, '');
    assert.equal((await registry.packages.get(id))!.status, 'abandoned');
    assert.match((JSON.parse(stderr) as { readonly hint: string }).hint, /abandoned; push again/);
  });
});

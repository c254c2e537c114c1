import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { rightStack } from '../../posture/stack-of.ts';
import { openWorkplace, type Workplace } from '../workplace.ts';

describe('store posture', () => {
  let place: Workplace;
  before(() => {
    place = openWorkplace();
    place.write({ 'right.yaml': rightStack(), 'open.yaml': 'services:\n  s:\n    ports: ["9000:9000"]\n    image: nats\n' });
  });
  after(() => place[Symbol.dispose]());

  test('says of a right stack that it is, and of another one what to do, with file and line', async () => {
    const right = await place.run('store', 'posture', '--compose', 'right.yaml');
    assert.deepEqual([right.code, right.stdout], [0, 'right 2 services, 8 rules\n']);
    const open = await place.run('store', 'posture', '--compose', 'right.yaml', 'open.yaml');
    assert.equal(open.code, 1);
    assert.match(open.stdout, /^image-pinned open\.yaml:4 s has an image without a tag.*\n {2}write NAME:VERSION/);
    assert.match(open.stdout, /\nno-ports open\.yaml:3 s publishes port 9000:9000 on the host\n/);
  });

  test('prints it as JSON', async () => {
    const { code, stdout } = await place.run('--json', 'store', 'posture', '--compose', 'right.yaml', 'open.yaml');
    const { ok, files, services, rules, findings, exposure } = JSON.parse(stdout);
    assert.deepEqual(
      [code, ok, files, services, rules.length, exposure],
      [1, false, ['right.yaml', 'open.yaml'], ['vault-agent', 's'], 8, []],
    );
    assert.deepEqual(findings[1], {
      rule: 'no-ports',
      state: 'violated',
      service: 's',
      file: 'open.yaml',
      line: 3,
      problem: 'publishes port 9000:9000 on the host',
      remedy: 'use `expose`, and reach it from a container of its network',
    });
  });

  test('takes other names of the volume and the agent', async () => {
    place.write({ 'named.yaml': rightStack().replaceAll('vault-', 'other-') });
    const named = await place.run(
      'store',
      'posture',
      '--compose',
      'named.yaml',
      '--secrets-volume',
      'other-secrets',
      '--agent',
      'other-agent',
    );
    assert.equal(named.code, 0);
    assert.match(
      (await place.run('store', 'posture', '--compose', 'named.yaml')).stdout,
      /secrets-read-only .* something else at \/secrets/,
    );
  });

  test('asks a proxy for hosts that it must not know', async () => {
    const hosts = new Set<string>();
    await using proxy = createServer(({ headers }, response) => {
      hosts.add(headers.host ?? '');
      response.writeHead(headers.host === 'minio.local' ? 200 : 404).end();
    });
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
    const routed = await place.run('store', 'posture', '--proxy', url);
    assert.equal(routed.code, 1);
    assert.match(routed.stdout, /^not routed cosmo\.local .*\nrouted minio\.local GET \/ is answered with 200/);
    assert.ok([...hosts].some((host) => /^nobody-[0-9a-f]{12}\.invalid$/.test(host)));
    assert.equal((await place.run('store', 'posture', '--proxy', url, '--forbidden-host', 'cosmo.local', 'else.local')).code, 0);
    assert.ok(hosts.has('else.local'));
    const nobody = await place.run('store', 'posture', '--proxy', 'http://127.0.0.1:1', '--forbidden-host', 'cosmo.local');
    assert.deepEqual([nobody.code, nobody.stdout], [6, 'cannot be known cosmo.local GET /: nothing listens there\n']);
    // Files that are wrong count for more than a proxy that is silent.
    assert.equal((await place.run('store', 'posture', '--proxy', 'http://127.0.0.1:1', '--compose', 'right.yaml', 'open.yaml')).code, 1);
  });

  test('refuses what it cannot look at', async () => {
    const refused = async (...args: readonly string[]): Promise<string> => {
      const { code, stderr } = await place.run('store', 'posture', ...args);
      assert.equal(code, 2, stderr);
      return stderr;
    };
    assert.match(await refused(), /nothing to look at: give --compose, --proxy or both/);
    assert.match(await refused('--compose', 'none.yaml'), /none\.yaml" can't be read: it is not there/);
    place.write({
      'lost.yaml': 'services:\n  a: {image: a}\n  b: {extends: {file: gone.yaml, service: b}}\n',
      'far.yaml': 'include: [lost.yaml]\n',
    });
    assert.match(await refused('--compose', 'lost.yaml'), /gone\.yaml" can't be read: it is not there.*\. \S*lost\.yaml:3 names it/);
    assert.match(await refused('--compose', 'far.yaml'), /gone\.yaml" can't be read: it is not there.*\. \S*lost\.yaml:3 names it/);
    place.write({ 'bad.yaml': 'services: {a: {}}\nservices: {}\n' });
    assert.match(await refused('--compose', 'bad.yaml'), /bad\.yaml:2: it is no YAML that Compose takes/);
    place.write({ 'long.yaml': `#${'x'.repeat(1_048_576)}` });
    assert.match(await refused('--compose', 'long.yaml'), /more than 1048576 bytes/);
    assert.match(await refused('--proxy', 'proxy:80'), /--proxy: "proxy:80" is not an http/);
    assert.match(await refused('--proxy', 'http://u:hush@proxy'), /an address here has no user, password/);
    assert.match(await refused('--proxy', 'http://127.0.0.1:1', '--forbidden-host', 'a b'), /"a b" is not the name of a host/);
    assert.match(await refused('--compose', 'right.yaml', '--forbidden-host', 'a'), /--forbidden-host goes with --proxy/);
  });

  test('tells at once what is wrong with several files and the proxy, and takes no other file for one of Compose', async () => {
    place.write({ 'empty.yaml': '', 'binary.yaml': new Uint8Array([0xc3, 0x28]), 'wide.yaml': Buffer.from('\ufeffservices:', 'utf16le') });
    const files = ['none.yaml', 'empty.yaml', 'right.yaml', 'binary.yaml', 'wide.yaml'];
    const { code, stderr } = await place.run('store', 'posture', '--compose', ...files, '--proxy', 'proxy:80');
    assert.equal(code, 2);
    const said = [
      /^error: 2 of these cannot be used:$/,
      /^ {2}4 of these files cannot be used:$/,
      /^ {4}"\S+none\.yaml" can't be read: it is not there/,
      /^ {4}\S+empty\.yaml:1: it holds no map of services\.$/,
      /^ {4}"\S+binary\.yaml" is no Compose file: it is no text in UTF-8\.$/,
      /^ {4}"\S+wide\.yaml" is no Compose file: it is text in UTF-16/,
      /^ {2}--proxy: "proxy:80" is not an http/,
    ];
    const lines = stderr.trimEnd().split('\n');
    assert.equal(lines.length, said.length, stderr);
    for (const [index, pattern] of said.entries()) assert.match(lines[index] ?? '', pattern);
    // Windows writes such a file, and Compose takes it.
    place.write({ 'windows.yaml': `\ufeff${rightStack().replaceAll('\n', '\r\n')}` });
    assert.equal((await place.run('store', 'posture', '--compose', 'windows.yaml')).code, 0);
  });
});

import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { chunks } from '../../../src/registry/conformance/samples.ts';
import { type Door, openDoor } from './open-door.ts';

const run = promisify(execFile);
/** The library of Nomad's artifacts. */
const program =
  process.env.ARTIFACTSTORE_TEST_GO_GETTER ??
  fileURLToPath(new URL('../../../node_modules/.cache/stores/go-getter/go-getter', import.meta.url));
const skip = !existsSync(program) && `${program} not found; tools/stores/install-go-getter.sh installs it`;

const plain = randomBytes(1_500_000);
/** How each kind of archive is made of a file `content` in the working directory, by its suffix. */
const archives: Readonly<Record<string, readonly string[]>> = {
  tar: ['tar', '-cf'],
  'tar.gz': ['tar', '-czf'],
  tgz: ['tar', '-czf'],
  'tar.bz2': ['tar', '-cjf'],
  tbz2: ['tar', '-cjf'],
  'tar.xz': ['tar', '-cJf'],
  txz: ['tar', '-cJf'],
  'tar.zst': ['tar', '--zstd', '-cf'],
  zip: ['zip', '-q'],
};

describe('go-getter fetches committed objects by address and checksum', { skip }, () => {
  let door: Door;
  let directory: string;
  const files = new Map<string, Buffer>([['app', plain]]);
  const addresses = new Map<string, string>();
  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'artifactstore-'));
    const source = join(directory, 'in');
    await mkdir(source);
    await writeFile(join(source, 'content'), plain);
    for (const [suffix, [command, ...options]] of Object.entries(archives)) {
      try {
        execFileSync(command!, [...options, `app.${suffix}`, 'content'], { cwd: source, stdio: 'ignore' });
        files.set(`app.${suffix}`, await readFile(join(source, `app.${suffix}`)));
      } catch {
        // This machine has no such program, and the kind is not asked for.
      }
    }
    // It sends no token: everybody may read.
    door = await openDoor({ anonymousRead: true, allowedHosts: [] });
    const { writeSessions } = door.registry;
    const objects = [...files].map(([name, bytes]) => ({ name, sha256: hex(bytes), size_bytes: bytes.length }));
    const request = { scope: 's', producer: 'p', subject: 'u', namespace: 'n', retention_class: 'transient', ttl_seconds: 60, objects };
    const { id } = (await writeSessions.open(request, { idempotencyKey: 'k' })).record;
    for (const [name, bytes] of files) await writeSessions.put(id, name, chunks(bytes));
    const committed = (await (await door.json(`/write-sessions/${id}/commit`, undefined)).json()) as {
      readonly objects: Readonly<Record<string, { readonly url: string }>>;
    };
    for (const [name, { url }] of Object.entries(committed.objects)) addresses.set(name, `${door.url}${url}`);
  });
  after(async () => {
    await door[Symbol.asyncDispose]();
    await rm(directory, { recursive: true, force: true });
  });

  const at = (name: string, sha256 = hex(files.get(name)!)) => `${addresses.get(name)!}?checksum=sha256:${sha256}`;
  const into = (name: string) => join(directory, name);
  const fetches = (address: string, target: string, mode = 'any') => run(program, ['-mode', mode, address, into(target)]);
  const isPlain = async (path: string) => assert.equal(Buffer.compare(await readFile(path), plain), 0, path);

  it('as they are', async () => {
    await fetches(at('app'), 'out', 'file');
    await isPlain(into('out'));
    await fetches(at('app'), 'any');
    await isPlain(join(into('any'), 'app'));
  });

  it('from where an earlier fetch broke off', async () => {
    await writeFile(into('half'), plain.subarray(0, 700_000));
    await fetches(at('app'), 'half', 'file');
    await isPlain(into('half'));
  });

  it('unpacked by their suffix, and as they are with archive=false', async () => {
    const kinds = [...files.keys()].filter((name) => name !== 'app');
    assert.ok(kinds.length >= 3, `${kinds}`);
    for (const name of kinds) {
      await fetches(at(name), `unpacked-${name}`);
      assert.deepEqual(await readdir(into(`unpacked-${name}`)), ['content'], name);
      await isPlain(join(into(`unpacked-${name}`), 'content'));
      // As Nomad sends it: its parameters in the order of their names.
      await fetches(at(name).replace('?', '?archive=false&'), `kept-${name}`);
      assert.equal(Buffer.compare(await readFile(join(into(`kept-${name}`), name)), files.get(name)!), 0, name);
    }
  });

  it('and ends with 1 for a wrong checksum, unpacking nothing', async () => {
    const wrong = hex(Buffer.from('wrong'));
    for (const name of ['app', 'app.tar.gz']) {
      await assert.rejects(fetches(at(name, wrong), `wrong-${name}`), (error: { readonly code?: number; readonly stderr?: string }) => {
        assert.equal(error.code, 1);
        assert.match(error.stderr ?? '', /[Cc]hecksum/);
        return true;
      });
      assert.ok(!existsSync(join(into(`wrong-${name}`), 'content')), 'nothing is unpacked');
    }
    // The checksum of what is in the archive is not its own.
    await assert.rejects(fetches(at('app.tar.gz', hex(plain)), 'other'), { code: 1 });
  });
});

function hex(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

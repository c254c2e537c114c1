import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { startPostgres } from '../../postgres-server.ts';
import { operationsOf } from './odd-requests.ts';
import { type Door, openDoor, token } from './open-door.ts';

/**
 * A stranger to this project reads the OpenAPI and asks accordingly, and otherwise: the answers are those that it
 * describes. What was found is found again with `ARTIFACTSTORE_TEST_SEED`, and more with a longer
 * `ARTIFACTSTORE_TEST_FUZZ_SECONDS`.
 */
const root = join(import.meta.dirname, '../../..');
const program = join(root, 'node_modules/.cache/schemathesis/bin/schemathesis');
const seed = Number(process.env.ARTIFACTSTORE_TEST_SEED ?? randomInt(2 ** 31));
const seconds = Number(process.env.ARTIFACTSTORE_TEST_FUZZ_SECONDS ?? 90);

for (const database of ['SQLite', 'PostgreSQL'] as const)
  describe(`schemathesis over the OpenAPI, ${database}`, { skip: reasonToSkip() }, () => {
    it('finds no answer that is not described', async (t) => {
      const server = database === 'PostgreSQL' ? await startPostgres() : undefined;
      try {
        const environment = server === undefined ? {} : { ARTIFACTSTORE_DATABASE_URL: await server.createDatabase() };
        await using door = await openDoor({ environment });
        await ask(t, door);
      } finally {
        await server?.stop();
      }
    });
  });

async function ask(t: TestContext, door: Door): Promise<void> {
  t.diagnostic(`ARTIFACTSTORE_TEST_SEED=${seed}`);
  const operations = operationsOf(await (await door.call('/openapi.json')).json());
  const folder = await mkdtemp(join(tmpdir(), 'artifactstore-schemathesis-'));
  try {
    const { code, output } = await run(folder, door.url, await knownRecords(door));
    const cases = /(\d+) generated/.exec(output)?.[1];
    t.diagnostic(`${cases} requests`);
    assert.equal(code, 0, output);
    assert.doesNotMatch(output, /^Traceback/m, output);
    assert.match(output, new RegExp(`Tested: ${operations.length}\\n`), output);
    assert.ok(Number(cases) > operations.length, output);
    assert.deepEqual(
      door.lines.filter((line) => line.includes('"msg":"a request failed"')),
      [],
    );
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** What requests can be about: a sealed package with its file and a hold, and a metadata schema. */
async function knownRecords(door: Door): Promise<Readonly<Record<string, string>>> {
  const { id } = await door.newPackage();
  await door.call(`/packages/${id}/files/report.txt`, { method: 'PUT', body: 'hello', headers: { 'content-type': 'text/plain' } });
  assert.equal((await door.call(`/packages/${id}/finalize`, { method: 'POST' })).status, 200);
  await door.registry.retention.hold(id, { reason: 'asked about' });
  const file = (await door.registry.files.find(id, 'report.txt'))!;
  return { package_id: id, file_id: file.id, relative_path: file.relative_path, content_address: file.content_address };
}

function run(
  folder: string,
  url: string,
  known: Readonly<Record<string, string>>,
): Promise<{ readonly code: number; readonly output: string }> {
  const parameters = ['--no-color', '--config-file', join(root, 'tools/fuzz/schemathesis.toml'), 'run', `${url}/openapi.json`];
  const bounds = ['--seed', String(seed), '--max-time', String(seconds)];
  const env = {
    PATH: process.env.PATH,
    PYTHONDONTWRITEBYTECODE: '1',
    PYTHONIOENCODING: 'utf-8',
    SCHEMATHESIS_HOOKS: join(root, 'tools/fuzz/hooks.py'),
    ARTIFACTSTORE_API_TOKEN: token,
    KNOWN_RECORDS: JSON.stringify(known),
  };
  return new Promise((resolve) => {
    execFile(
      program,
      [...parameters, ...bounds],
      { cwd: folder, env, maxBuffer: 64 * 1024 * 1024, timeout: (seconds + 120) * 1000 },
      (error, stdout, stderr) => resolve({ code: error === null ? 0 : Number(error.code ?? 1), output: stdout + stderr }),
    );
  });
}

function reasonToSkip(): string | false {
  if (existsSync(program)) return false;
  const reason = 'schemathesis is not installed: run tools/fuzz/install-schemathesis.sh, which needs Python';
  if (process.env.ARTIFACTSTORE_TEST_SCHEMATHESIS_REQUIRED !== undefined)
    throw new Error(`${reason} (required by ARTIFACTSTORE_TEST_SCHEMATHESIS_REQUIRED)`);
  return reason;
}

/**
 * Holds `store probe --shape cosmo` against Cosmo itself, on every real store that this machine has, or one:
 * `node tools/cosmo/run.ts [name] [--region REGION]`, after tools/cosmo/install.sh. Ends with 1 where the two disagree.
 */
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs, promisify } from 'node:util';
import type { StoreProbeReport } from '../../src/certify/shape/reports.ts';
import { freePort } from '../../test/cli/answering.ts';
import { openPlatform, platformStores } from '../../test/stores/cosmo-stores.ts';
import { answering, startDaemon } from '../../test/stores/daemon.ts';
import type { RealStore } from '../../test/stores/store.ts';
import type { CosmoCheck } from './cosmo-check.ts';

const cache = fileURLToPath(new URL('../../node_modules/.cache/cosmo/', import.meta.url));
const loader = ['--import', pathToFileURL(join(cache, 'node_modules/tsx/dist/loader.mjs')).href];
const generations = ['3.996.0', '3.529.1'] as const;
const say = (line: string): void => void process.stdout.write(`${line}\n`);

/** The cdn in a process, and the checks in another, as images with this generation of the SDK have it. */
async function tryCosmo(store: RealStore, region: string, generation: string, directory: string): Promise<readonly CosmoCheck[]> {
  const place = join(cache, generation);
  const port = await freePort();
  const environment = {
    S3_STORAGE_URL: `${store.url}/cosmo`,
    S3_REGION: region,
    S3_ACCESS_KEY_ID: store.keys.accessKeyId,
    S3_SECRET_ACCESS_KEY: store.keys.secretAccessKey,
    S3_FORCE_PATH_STYLE: 'true',
    AUTH_JWT_SECRET: randomBytes(16).toString('hex'),
    AUTH_ADMISSION_JWT_SECRET: randomBytes(16).toString('hex'),
    PORT: String(port),
    NODE_ENV: 'production',
  };
  const logFile = join(directory, `cdn-${generation}.log`);
  const cdn = await startDaemon(process.execPath, [...loader, join(place, 'cdn-server/src/index.ts')], {
    directory: place,
    environment: { ...environment, TSX_TSCONFIG_PATH: join(place, 'tsconfig.json') },
    logFile,
  });
  try {
    const url = `http://127.0.0.1:${port}`;
    await answering(`${url}/health`, cdn, logFile);
    const { stdout } = await promisify(execFile)(process.execPath, [...loader, join(import.meta.dirname, 'checks.ts')], {
      cwd: place,
      env: { PATH: process.env.PATH ?? '', ...environment, CDN_URL: url, TSX_TSCONFIG_PATH: join(place, 'tsconfig.json') },
      maxBuffer: 1_048_576,
      timeout: 600_000,
    });
    return JSON.parse(stdout.trim().split('\n').at(-1)!) as readonly CosmoCheck[];
  } catch (error) {
    say(readFileSync(logFile, 'utf8').slice(-2000));
    throw error;
  } finally {
    await cdn.kill();
  }
}

/**
 * What the two say differently. A check that fails by the probe may hold here, since the probe asks for more; where it
 * gave up, something must fail here, too.
 */
function disagreements(checks: readonly CosmoCheck[], report: StoreProbeReport | undefined): readonly string[] {
  const failed = checks.filter(({ holds }) => !holds);
  if (report === undefined) return failed.length > 0 ? [] : ['the probe gave up, and Cosmo has everything'];
  const saw = ({ probed }: CosmoCheck): boolean => report.checks.some(({ id, result }) => probed.includes(id) && result !== 'pass');
  return failed.filter((check) => !saw(check)).map(({ name }) => `the probe saw nothing of: ${name}`);
}

const { positionals, values } = parseArgs({ allowPositionals: true, options: { region: { type: 'string' } } });
if (!existsSync(join(cache, 'VERSION'))) {
  say('Cosmo is not here: tools/cosmo/install.sh brings it');
  process.exit(2);
}
let wrong = 0;
for (const { name, region: usual, missing, open } of platformStores) {
  if (positionals.length > 0 && !positionals.includes(name)) continue;
  const why = missing();
  if (why !== undefined) {
    say(`${name}: ${why}`);
    continue;
  }
  const region = values.region ?? usual;
  await using store = await open();
  // The bucket is made in the region of the store; what is tried is another one.
  using usualPlace = openPlatform(store, usual);
  using place = openPlatform(store, region);
  await usualPlace.json('store', 'init', '--settings', 'artifacts.env');
  const { stdout, stderr } = await place.run('store', 'probe', '--settings', 'artifacts.env', '--shape', 'cosmo', '--json');
  const report = stdout === '' ? undefined : (JSON.parse(stdout) as StoreProbeReport);
  const held = report?.checks.filter(({ result }) => result === 'pass').length;
  const verdict = report === undefined ? `gave up: ${stderr.trim()}` : `has ${held} of ${report.checks.length}`;
  say(`${name} ${store.version}, region ${region}: the probe ${verdict}`);
  for (const generation of generations) {
    const checks = await tryCosmo(store, region, generation, place.directory);
    say(`  Cosmo with SDK ${generation}: ${checks.filter(({ holds }) => holds).length} of ${checks.length}`);
    for (const { name: check, holds, detail } of checks) if (!holds) say(`    fails: ${check}: ${detail}`);
    for (const line of disagreements(checks, report)) {
      wrong += 1;
      say(`    DISAGREES: ${line}`);
    }
  }
}
process.exitCode = wrong === 0 ? 0 : 1;

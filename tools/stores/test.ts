import { spawn } from 'node:child_process';
import { parseArgs } from 'node:util';

/**
 * Runs the tests against real stores. With `--endpoint-env PREFIX` only those that need nothing but a bucket of one's
 * own: the variables `PREFIX_ENDPOINT_URL` and so on say which (docs/stores.md).
 */
const { values } = parseArgs({ options: { 'endpoint-env': { type: 'string' } } });
const prefix = values['endpoint-env'];
if (prefix !== undefined && !/^[A-Z][A-Z0-9_]*[A-Z0-9]$/.test(prefix)) {
  console.error(`--endpoint-env: "${prefix}" is not what names of variables begin with, such as MY_STORE`);
  process.exit(2);
}
const files = prefix === undefined ? 'test/**/*.stores.ts' : 'test/stores/own-endpoint.stores.ts';
const options = ['--test', '--test-concurrency=1', '--test-timeout=1200000', '--test-reporter=spec'];
const tests = spawn(process.execPath, [...options, files], {
  stdio: 'inherit',
  env: prefix === undefined ? process.env : { ...process.env, ARTIFACTSTORE_TEST_ENDPOINT_ENV: prefix },
});
tests.on('exit', (code) => {
  process.exitCode = code ?? 1;
});

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { readStorePlace } from '../../src/cli/store-settings.ts';
import type { ArtifactstoreError } from '../../src/kernel/error.ts';

const right = {
  S3_ENDPOINT_URL: 'http://minio:9000',
  S3_REGION: 'auto',
  S3_ACCESS_KEY_ID: 'hush-key-id',
  S3_SECRET_ACCESS_KEY: 'hush-key-secret',
  S3_FORCE_PATH_STYLE: 'true',
  COSMO_S3_BUCKET: 'cosmo',
};

describe('the settings of a store', () => {
  let directory: string;
  before(() => {
    directory = mkdtempSync(join(tmpdir(), 'artifactstore-settings-'));
  });
  after(() => rmSync(directory, { recursive: true }));

  const linesOf = (values: Readonly<Record<string, string | undefined>>): string =>
    Object.entries(values)
      .flatMap(([name, value]) => (value === undefined ? [] : [`${name}=${value}\n`]))
      .join('');
  const read = (text: string) => {
    writeFileSync(join(directory, 'artifacts.env'), text);
    return readStorePlace(directory, 'artifacts.env');
  };
  const refused = async (text: string): Promise<string> => {
    const error = (await read(text).catch((caught: unknown) => caught)) as ArtifactstoreError;
    assert.equal(error.code, 'invalid_configuration', text);
    for (const said of [error.message, JSON.stringify(error.info ?? {})]) assert.doesNotMatch(said, /hush/, text);
    return error.message;
  };

  test('are those of the platform, with others beside them', async () => {
    const place = {
      endpointUrl: 'http://minio:9000',
      region: 'auto',
      bucket: 'cosmo',
      forcePathStyle: true,
      keys: { accessKeyId: 'hush-key-id', secretAccessKey: 'hush-key-secret' },
      bucketSetting: 'COSMO_S3_BUCKET',
    };
    assert.deepEqual(await read(`# a comment\n\n${linesOf({ ...right, LOG_LEVEL: 'info' })}`), place);
    const general = { ...right, COSMO_S3_BUCKET: undefined, S3_BUCKET: 'general', S3_FORCE_PATH_STYLE: 'false' };
    assert.deepEqual(await read(linesOf(general)), { ...place, bucket: 'general', forcePathStyle: false, bucketSetting: 'S3_BUCKET' });
    assert.equal((await read(linesOf({ ...right, S3_BUCKET: 'cosmo' }))).bucket, 'cosmo');
  });

  test('are refused for all that is wrong, each with its own reason and no value', async () => {
    const wrong: readonly (readonly [Readonly<Record<string, string | undefined>>, RegExp])[] = [
      [{ S3_ENDPOINT_URL: 'minio:9000' }, /S3_ENDPOINT_URL has no scheme/],
      [{ S3_ENDPOINT_URL: 'hush.example.org' }, /S3_ENDPOINT_URL has no scheme/],
      [{ S3_ENDPOINT_URL: 's3://hush' }, /begins with s3:\/\//],
      [{ S3_ENDPOINT_URL: 'http://' }, /is no address/],
      [{ S3_ENDPOINT_URL: 'http://minio:9000/hush' }, /S3_ENDPOINT_URL has a path/],
      [{ S3_ENDPOINT_URL: 'http://minio:9000/' }, /ends with a slash/],
      [{ S3_ENDPOINT_URL: 'http://me:hush-hush@minio:9000' }, /has a user or a password/],
      [{ S3_ENDPOINT_URL: 'http://minio:9000?x=hush' }, /has a query/],
      [{ S3_ENDPOINT_URL: undefined, S3_ENDPOINT: 'http://minio' }, /S3_ENDPOINT_URL is missing; S3_ENDPOINT is there/],
      [{ S3_REGION: undefined }, /S3_REGION is missing: parts of Cosmo/],
      [{ S3_REGION: 'hush.example.org/' }, /S3_REGION is not a region/],
      [{ S3_ACCESS_KEY_ID: '' }, /S3_ACCESS_KEY_ID is empty/],
      [{ S3_SECRET_ACCESS_KEY: 'changeme' }, /S3_SECRET_ACCESS_KEY is a placeholder/],
      [
        { S3_SECRET_ACCESS_KEY: undefined, MINIO_ROOT_PASSWORD: 'hush-root' },
        /S3_SECRET_ACCESS_KEY is missing; MINIO_ROOT_PASSWORD is there/,
      ],
      [{ S3_FORCE_PATH_STYLE: undefined }, /S3_FORCE_PATH_STYLE is missing: parts of Cosmo/],
      [{ S3_FORCE_PATH_STYLE: '1' }, /is neither true nor false/],
      [{ COSMO_S3_BUCKET: undefined }, /S3_BUCKET is missing, and so is COSMO_S3_BUCKET/],
      [{ COSMO_S3_BUCKET: 'cosmo/' }, /COSMO_S3_BUCKET has a slash/],
      [{ COSMO_S3_BUCKET: 'Hush' }, /cannot be the name of a bucket/],
      [{ COSMO_S3_BUCKET: '10.0.0.1' }, /cannot be the name of a bucket/],
      [{ S3_BUCKET: 'other' }, /COSMO_S3_BUCKET and S3_BUCKET name different buckets/],
    ];
    const said = new Set<string>();
    for (const [change, message] of wrong) {
      const text = await refused(linesOf({ ...right, ...change }));
      assert.match(text, message);
      assert.match(text, /^artifacts\.env does not say which store to use:\n {2}\w+ [^\n]+$/);
      said.add(text);
    }
    const all = await refused(linesOf({ ...right, S3_ENDPOINT_URL: 'minio', S3_REGION: '', S3_FORCE_PATH_STYLE: 'True' }));
    assert.equal(all.split('\n').length, 4);
  });

  test('are refused for what readers of such files take differently', async () => {
    const text = linesOf(right);
    for (const [file, message] of [
      [text.replaceAll('\n', '\r\n'), /ends with a carriage return/],
      [`\ufeff${text}`, /byte order mark/],
      [`${text}S3_REGION=us-east-1\n`, /line 7, S3_REGION: is there twice/],
      [text.replace('=auto', '="auto"'), /line 2, S3_REGION: has quotes/],
      [text.replace('=hush-key-secret', '=<no value>'), /line 4, S3_SECRET_ACCESS_KEY: is "<no value>"/],
      [text.replace('=auto', '=$REGION'), /has "\$"/],
      [`export ${text}`, /begins with "export"/],
    ] as const)
      assert.match(await refused(file), message);
  });

  test('tell all at once of a file that is wrong in both ways, and of each name once', async () => {
    const lines = (await refused(`${linesOf({ ...right, S3_REGION: '"auto"', S3_ENDPOINT_URL: 'minio' })} export X=1\n`))
      .split('\n')
      .slice(1);
    assert.deepEqual(
      lines.map((line) => line.trim().split(/:? (?:has|begins) /)[0]),
      ['line 2, S3_REGION', 'line 7, X', 'S3_ENDPOINT_URL'],
    );
    // Neither is told as missing.
    for (const name of ['S3_BUCKET', 'COSMO_S3_BUCKET']) {
      const exported = await refused(`export ${name}=b\n${linesOf({ ...right, COSMO_S3_BUCKET: undefined, S3_REGION: '$REGION' })}`);
      assert.doesNotMatch(exported, /is missing/);
    }
  });

  test('are told from a file that is another one', async () => {
    for (const [file, message] of [
      ['', /which store to use \(it is empty, or all of it is comments\):\n {2}S3_ENDPOINT_URL is missing/],
      ['# S3_REGION=auto\n', /\(it is empty, or all of it is comments\)/],
      ['NAME=hush\n', /\(its one name is none of these\)/],
      ['A=1\nB=2\n', /\(none of its 2 names is one of these\)/],
      ['hush\nhush\n', /artifacts\.env" is no file of settings: none of its 2 lines is NAME=value\.$/],
      ['{"hush": 1}\n', /is no file of settings: its line is not NAME=value\.$/],
      ['hush\0=hush', /is no file of settings: it is no text in UTF-8\.$/],
    ] as const)
      assert.match(await refused(file), message, file);
    const hint = async (text: string) => ((await read(text).catch((caught: unknown) => caught)) as ArtifactstoreError).info?.hint as string;
    assert.match(await hint('ARTIFACTSTORE_PORT=1\n'), /^it looks like a file of the server: `config check/);
    assert.match(await hint('services:\n  a:\n'), /it looks like a Compose file: `store posture/);
  });
});

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { addressPath, formatBundle, parseBundle, titleOf } from '../../src/bundle/manifest.ts';
import { isArtifactstoreError } from '../../src/kernel/error.ts';
import { manifestOf, sha256Of } from './bundle-folder.ts';

const schema = JSON.parse(readFileSync(join(import.meta.dirname, '../../schemas/bundle.v1.json'), 'utf8'));
const isOfSchema = new Ajv2020({ strict: true }).compile(schema);
const bytesOf = (value: unknown) => Buffer.from(JSON.stringify(value));
const artifact = { name: 'a.tar', sha256: sha256Of('a'), size_bytes: 1 };
const withArtifact = (more: object) => manifestOf({}, { artifacts: [{ ...artifact, ...more }] });

describe('the manifest of a bundle', () => {
  test('is read as it was written, and the schema takes it', () => {
    const whole = manifestOf(
      {},
      {
        release: '9997ea2',
        artifacts: [
          { ...artifact, media_type: 'application/x-tar', path: 'build/out.tar' },
          { ...artifact, name: 'bin/ünder.gz', size_bytes: 0 },
        ],
      },
    );
    const bundle = parseBundle(bytesOf(whole));
    assert.deepEqual(bundle.artifacts[1], { ...artifact, name: 'bin/ünder.gz', size_bytes: 0, path: 'bin/ünder.gz' });
    assert.deepEqual(JSON.parse(Buffer.from(formatBundle(bundle)).toString()), whole);
    assert.deepEqual(parseBundle(formatBundle(bundle)), bundle);
    assert.ok(isOfSchema(whole), JSON.stringify(isOfSchema.errors));
    assert.equal(titleOf(bundle), 'gamma 9997ea2');
    assert.equal(addressPath(bundle.artifacts[1]!), `/objects/sha256:${sha256Of('a')}/%C3%BCnder.gz`);
  });

  const wrong: readonly (readonly [what: string, value: unknown, field: string | undefined, code?: string])[] = [
    ['no object', [], undefined],
    ['another format', manifestOf({}, { format: 'artifactstore.bundle.v2', artifacts: [artifact] }), '/format'],
    ['no name', manifestOf({}, { name: '', artifacts: [artifact] }), '/name'],
    ['a name that is a path', manifestOf({}, { name: 'a/b', artifacts: [artifact] }), '/name'],
    ['a name that is an option', manifestOf({}, { name: '-rf', artifacts: [artifact] }), '/name'],
    ['a release that leaves', manifestOf({}, { release: '../x', artifacts: [artifact] }), '/release'],
    ['no artifacts', manifestOf({}), '/artifacts'],
    ['a member that nobody knows', manifestOf({}, { artifacts: [artifact], url: 'x' }), '/url'],
    ['an unknown member of an artifact', withArtifact({ sha512: 'x' }), '/artifacts/0/sha512'],
    ['a digest in capitals', withArtifact({ sha256: artifact.sha256.toUpperCase() }), '/artifacts/0/sha256'],
    ['a digest that is short', withArtifact({ sha256: 'ab' }), '/artifacts/0/sha256'],
    ['a size below zero', withArtifact({ size_bytes: -1 }), '/artifacts/0/size_bytes'],
    ['a size that is a text', withArtifact({ size_bytes: '1' }), '/artifacts/0/size_bytes'],
    ['a media type with a line break', withArtifact({ media_type: 'a/b\r\nx: y' }), '/artifacts/0/media_type'],
    ['a name that leaves', withArtifact({ name: '../a' }), '/artifacts/0/name', 'invalid_path'],
    ['an absolute name', withArtifact({ name: '/etc/passwd' }), '/artifacts/0/name', 'invalid_path'],
    ['a name with a NUL', withArtifact({ name: 'a\u0000' }), '/artifacts/0/name', 'invalid_path'],
    ['a path that leaves', withArtifact({ path: 'a/../../b' }), '/artifacts/0/path', 'invalid_path'],
    ['a name twice', manifestOf({}, { artifacts: [artifact, artifact] }), '/artifacts/1/name'],
  ];
  for (const [what, value, field, code = 'invalid_value'] of wrong)
    test(`with ${what} is refused at its place`, () => {
      assert.throws(
        () => parseBundle(bytesOf(value)),
        (error) => isArtifactstoreError(error) && error.code === code && error.field === field,
      );
    });

  test('that is no JSON is refused as such, and one that is too long as well', () => {
    assert.throws(() => parseBundle(Buffer.from('{')), { code: 'malformed_json' });
    const many = Array.from({ length: 10_001 }, (_, index) => ({ ...artifact, name: `${index}` }));
    assert.throws(() => parseBundle(bytesOf(manifestOf({}, { artifacts: many }))), { code: 'invalid_value', field: '/artifacts' });
  });
});

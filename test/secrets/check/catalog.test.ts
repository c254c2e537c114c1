import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { isArtifactstoreError } from '../../../src/kernel/error.ts';
import { readCatalogs } from '../../../src/secrets/check/catalog.ts';
import { readConsumers } from '../../../src/secrets/check/consumers.ts';
import { charactersOf, encodings, formFault, generatedValue, isPlaceholder } from '../../../src/secrets/check/form.ts';
import { secretOf } from '../../../src/secrets/secret.ts';

const bytesOf = (value: unknown): Uint8Array => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value));
const schemaOf = (name: string): object => JSON.parse(readFileSync(join(import.meta.dirname, '../../../schemas', name), 'utf8')) as object;

const good = [
  { name: 'a', generated: { bytes: 32, encoding: 'hex' }, consumers: ['x'] },
  { name: 'folder/b_1.c-2#field', produced_by: 'migrate', description: 'what for' },
  { name: 'c', external: 'ask the bank', form: { characters: 32, alphabet: 'hex' } },
  { name: 'd', external: 'ask the bank', form: {} },
];

const bad = [
  [7, /is no object/],
  [{}, /has no legal "name"/],
  [{ name: '../a', external: 'e' }, /has no legal "name"/],
  [{ name: 'a' }, /has no source: one of generated, produced_by, external it must have/],
  [{ name: 'a', external: 'e', produced_by: 'p' }, /has 2 sources/],
  [{ name: 'a', external: ' ' }, /without a text of who has it/],
  [{ name: 'a', produced_by: 7 }, /without the name of a job/],
  [{ name: 'a', generated: true }, /"generated" that is no object/],
  [{ name: 'a', generated: { bytes: 15, encoding: 'hex' } }, /from 16 to 96/],
  [{ name: 'a', generated: { bytes: 97, encoding: 'hex' } }, /from 16 to 96/],
  [{ name: 'a', generated: { bytes: 16.5, encoding: 'hex' } }, /from 16 to 96/],
  [{ name: 'a', generated: { bytes: 16, encoding: 'base64' } }, /not one of base64url, hex, alphanumeric/],
  [{ name: 'a', generated: { bytes: 16, encoding: 'hex', seed: 1 } }, /member "seed", which is not known/],
  [{ name: 'a', generated: { bytes: 16, encoding: 'hex' }, form: {} }, /"form" beside "generated"/],
  [{ name: 'a', external: 'e', form: { characters: 0 } }, /"characters" are no whole number/],
  [{ name: 'a', external: 'e', form: { alphabet: 'greek' } }, /"alphabet" is not one of/],
  [{ name: 'a', external: 'e', form: { pattern: '.' } }, /"form" with a member "pattern"/],
  [{ name: 'a', external: 'e', consumers: 'x' }, /no list of names/],
  [{ name: 'a', external: 'e', consumers: [''] }, /no list of names/],
  [{ name: 'a', external: 'e', value: 'hush' }, /member "value", which is not known/],
] as const;

describe('a catalog', () => {
  test('declares each secret with one source; the schema takes and refuses the same', () => {
    const validate = new Ajv2020({ strict: true, strictRequired: false }).compile(schemaOf('secret-catalog.v1.json'));
    const { declarations, findings } = readCatalogs([{ path: 'catalog.json', bytes: bytesOf({ $schema: 's', secrets: good }) }]);
    assert.deepEqual([[...declarations.keys()], findings], [good.map(({ name }) => name), []]);
    assert.ok(validate({ secrets: good }), JSON.stringify(validate.errors));
    for (const [declaration, told] of bad) {
      const read = readCatalogs([{ path: 'catalog.json', bytes: bytesOf({ secrets: [declaration] }) }]);
      assert.equal(read.declarations.size, 0);
      assert.equal(read.findings[0]?.kind, 'invalid_declaration');
      assert.match(read.findings[0]?.problem ?? '', told);
      assert.doesNotMatch(JSON.stringify(read), /hush/);
      assert.equal(validate({ secrets: [declaration] }), false, JSON.stringify(declaration));
    }
  });

  test('may be several files, and a name in two of them is said', () => {
    const { declarations, findings } = readCatalogs([
      { path: 'one.json', bytes: bytesOf({ secrets: good }) },
      { path: 'two.json', bytes: bytesOf({ secrets: [good[2], good[2]] }) },
    ]);
    assert.equal(declarations.size, 4);
    assert.deepEqual(
      findings.map(({ secret, kind, problem }) => [secret, kind, problem]),
      Array.from({ length: 2 }, () => ['c', 'declared_twice', 'is declared in one.json and again in two.json']),
    );
  });

  test('that is none is refused with its name', () => {
    for (const [text, told] of [
      ['{', /The catalog c\.json is no JSON: /],
      ['[]', /has no list "secrets"/],
      ['{"secrets":{}}', /has no list "secrets"/],
      ['{"secrets":[],"store":"env"}', /a member "store", which is not known/],
      ['{"secrets":[],"secrets":[]}', /is no JSON/],
    ] as const)
      assert.throws(
        () => readCatalogs([{ path: 'c.json', bytes: bytesOf(text) }]),
        (error) => isArtifactstoreError(error, 'invalid_configuration') && told.test(error.message),
        text,
      );
  });
});

describe('consumers', () => {
  test('are named by a JSON file, or are jobs and templates that refer to secrets', () => {
    const vault = { kind: 'vault', address: 'https://v', mount: 'kv', path: 'team/prod' } as const;
    const json = { consumers: { cosmo: ['a', 'b#c'], registry: ['a'] } };
    assert.ok(new Ajv2020().compile(schemaOf('secret-consumers.v1.json'))(json));
    const hcl = `
      template {
        data = <<T
{{ with secret "kv/data/team/prod/s3" }}KEY={{ .Data.data.access_key | toJSON }}{{ end }}
{{- with secret \`kv/data/team/prod/folder/db\` -}}{{ .Data.data.value }}{{- end -}}
{{ with secret "kv/data/other/db" }}{{ end }}
T
      }
      env { TOKEN_REF = "secret:api/token#field" }`;
    assert.deepEqual(
      readConsumers(
        [
          { path: 'consumers.json', bytes: bytesOf(json) },
          { path: 'jobs/cosmo.nomad.hcl', bytes: bytesOf(hcl) },
        ],
        vault,
      ),
      [
        { consumer: 'cosmo', secret: 'a' },
        { consumer: 'cosmo', secret: 'b#c' },
        { consumer: 'registry', secret: 'a' },
        { consumer: 'cosmo', secret: 's3' },
        { consumer: 'cosmo', secret: 'folder/db' },
        { consumer: 'cosmo', secret: 'kv/data/other/db' },
        { consumer: 'cosmo', secret: 'api/token#field' },
      ],
    );
    for (const text of ['{', '[]', '{"consumers":[]}', '{"consumers":{"a":"b"}}', '{"consumers":{"a":[7]}}', '{"consumers":{},"x":1}'])
      assert.throws(
        () => readConsumers([{ path: 'c.json', bytes: bytesOf(text) }], vault),
        (error) => isArtifactstoreError(error, 'invalid_configuration'),
        text,
      );
  });
});

describe('a value', () => {
  test('is made of as much chance as is asked for, in the form that is asked for', () => {
    const random = (bytes: number): Uint8Array => crypto.getRandomValues(new Uint8Array(bytes));
    for (const encoding of encodings)
      for (const bytes of [16, 17, 32, 96]) {
        const generated = { bytes, encoding };
        const values = new Set(Array.from({ length: 50 }, () => generatedValue(generated, random)));
        assert.equal(values.size, 50);
        for (const value of values) {
          assert.equal(formFault(secretOf(value), { characters: charactersOf(generated), alphabet: encoding }), undefined, value);
          assert.equal(isPlaceholder(secretOf(value)), false);
        }
      }
    assert.deepEqual(
      encodings.map((encoding) => charactersOf({ bytes: 16, encoding })),
      [22, 32, 22],
    );
    // Bytes that would make some letters more likely than others are not used: 248 to 255.
    const falling = (bytes: number): Uint8Array => new Uint8Array(bytes).map((_, index) => 255 - index);
    assert.equal(generatedValue({ bytes: 16, encoding: 'alphanumeric' }, falling)[0], '9');
  });

  test('that only holds the place of one is known', () => {
    for (const text of [
      'changeme',
      'CHANGE_ME!',
      'change-it',
      'replace me',
      'replace with the real one',
      'placeholder',
      '<no value>',
      '<your key>',
      'your-key-here',
      `$\{S3_KEY}`,
      '$(cat key)',
      '{{ .Data.data.value }}',
      'null',
      'None',
      'undefined',
      'xxxxxxxx',
      '********',
      '[secret]',
      '(secret)',
      'x',
      'tbd',
      'password',
    ])
      assert.equal(isPlaceholder(secretOf(text)), true, text);
    for (const text of [
      'hush',
      'minioadmin',
      'your',
      'AKIAIOSFODNN7',
      '{"a":1}',
      '["a","b"]',
      '-----BEGIN KEY-----\nab\n-----END KEY-----',
      'change',
      'nullable',
    ])
      assert.equal(isPlaceholder(secretOf(text)), false, text);
  });
});

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Package } from '../../../src/registry/REGISTRY.ts';
import { openWorkplace, type Workplace } from '../../cli/workplace.ts';

const bill = {
  $schema: 'http://cyclonedx.org/schema/bom-1.6.schema.json',
  bomFormat: 'CycloneDX',
  specVersion: '1.6',
  serialNumber: 'urn:uuid:3e671687-395b-41f5-a30f-a58921a69b79',
  version: 2,
  metadata: {
    timestamp: '2026-05-13T21:02:55Z',
    tools: { components: [{ type: 'application', name: 'cdxgen', version: '11.3.0' }] },
    component: { type: 'application', 'bom-ref': 'pkg:npm/ledger@4.2.0', name: 'ledger', version: '4.2.0', purl: 'pkg:npm/ledger@4.2.0' },
  },
  components: [
    {
      type: 'library',
      'bom-ref': 'pkg:npm/fastify@5.12.8',
      name: 'fastify',
      version: '5.12.8',
      purl: 'pkg:npm/fastify@5.12.8',
      licenses: [{ license: { id: 'MIT' } }],
      hashes: [{ alg: 'SHA-512', content: 'a9ca1fa1d9ad5c0f'.repeat(8) }],
    },
    { type: 'library', 'bom-ref': 'pkg:npm/left@1.0.0', name: 'left', version: '1.0.0', purl: 'pkg:npm/left@1.0.0' },
  ],
  dependencies: [{ ref: 'pkg:npm/ledger@4.2.0', dependsOn: ['pkg:npm/fastify@5.12.8', 'pkg:npm/left@1.0.0'] }],
  vulnerabilities: [{ id: 'CVE-2026-0001', affects: [{ ref: 'pkg:npm/left@1.0.0' }] }],
};
const log = '2026-05-13T21:01:10Z npm ci\nadded 214 packages in 9s\n2026-05-13T21:02:50Z built ledger 4.2.0\n';

describe('sbom ingest', () => {
  let place: Workplace;
  before(async () => {
    place = openWorkplace();
    await place.serve('serve', '--port', '0');
  });
  after(() => place[Symbol.dispose]());

  test('keeps a bill of materials with the log of its build, once for each bill', async () => {
    place.write({ 'sbom/bom.json': JSON.stringify(bill, null, 2), 'sbom/build.log': log });
    const ingested = await place.json<{ package_id: string; reused_existing: boolean }>('sbom', 'ingest', 'sbom');
    const record = await place.json<Package & Record<string, unknown>>('packages', 'show', ingested.package_id);
    assert.deepEqual(
      [record.producer, record.subject, record.retention_class, record.metadata_schema_slug],
      ['sbom', 'pkg:npm/ledger@4.2.0', 'release-evidence', 'sbom.v1'],
    );
    const { content_digest: digest, ...said } = record.metadata;
    assert.match(String(digest), /^sha256:/);
    assert.deepEqual(said, {
      bom_link: 'urn:cdx:3e671687-395b-41f5-a30f-a58921a69b79/2',
      bom_path: 'bom.json',
      spec_version: '1.6',
      component: { name: 'ledger', version: '4.2.0', purl: 'pkg:npm/ledger@4.2.0' },
      built_at: '2026-05-13T21:02:55Z',
      counts: { components: 2, dependencies: 1, vulnerabilities: 1, without_license: 1 },
      log_paths: ['build.log'],
    });
    assert.deepEqual(await place.json('sbom', 'ingest', 'sbom'), { ...ingested, reused_existing: true });
    place.write({ 'sbom/build.log': `${log}again\n` });
    const changed = await place.run('sbom', 'ingest', 'sbom');
    assert.equal(changed.code, 4);
    assert.match(changed.stderr, / {2}changed {2}build\.log/);
    place.write({ 'sbom/bom.json': JSON.stringify({ ...bill, version: 3 }) });
    assert.equal((await place.json('sbom', 'ingest', 'sbom')).reused_existing, false);
  });

  test('refuses what is not one bill with its log', async () => {
    const text = JSON.stringify(bill);
    const bad: readonly (readonly [name: string, files: Readonly<Record<string, string>>, code: number, message: RegExp])[] = [
      ['nothing', { 'package.json': '{"name":"x"}', 'build.log': log }, 2, /no CycloneDX bill of materials/],
      [
        'two',
        { 'a.json': text, 'b/bom.json': text, 'build.log': log },
        2,
        /There are 2 bills of materials below "[^"]*": a\.json, b\/bom\.json/,
      ],
      ['no-log', { 'bom.json': text }, 2, /no log of the build/],
      [
        'torn',
        { 'bom.json': text.slice(0, 100), 'build.log': log },
        2,
        /"bom\.json": The JSON is malformed at line 1, column \d+: a string is not closed/,
      ],
      [
        'no-serial',
        { 'bom.json': JSON.stringify({ ...bill, serialNumber: undefined }), 'build.log': log },
        2,
        /"bom\.json" has no serialNumber/,
      ],
      [
        'odd-serial',
        { 'bom.json': JSON.stringify({ ...bill, serialNumber: 'urn:uuid:1' }), 'build.log': log },
        2,
        /not of the form urn:uuid/,
      ],
      [
        'no-component',
        { 'bom.json': JSON.stringify({ ...bill, metadata: {} }), 'build.log': log },
        2,
        /has no \/metadata\/component\/name/,
      ],
      [
        'odd-spec',
        { 'bom.json': JSON.stringify({ ...bill, specVersion: 'x', version: 9 }), 'build.log': log },
        2,
        /does not fit the schema "sbom\.v1": \/spec_version/,
      ],
    ];
    for (const [name, files, code, message] of bad) {
      place.write(Object.fromEntries(Object.entries(files).map(([path, content]) => [`${name}/${path}`, content])));
      const result = await place.run('sbom', 'ingest', name);
      assert.match(result.stderr, message, name);
      assert.deepEqual([result.code, result.stdout], [code, ''], name);
    }
    assert.equal((await place.json<{ items: unknown[] }>('packages', 'list', '--producer', 'sbom')).items.length, 2);
  });
});

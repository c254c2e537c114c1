import type { Manifest, ManifestFile } from '../../src/kernel/manifest.ts';

const digest = 'a'.repeat(64);
const at = '2026-01-31T10:00:00.000Z';

export const sampleFile: ManifestFile = {
  id: '01a223bf-d695-7530-ba5e-5ad9d3134f7d',
  relative_path: 'a/b',
  media_type: 'text/plain',
  size_bytes: 1,
  digest_algorithm: 'blake3',
  digest_primary: digest,
  digest_sha256: digest,
  content_address: `blake3:${digest}`,
  annotations: { mode: 'executable' },
};

/** A whole manifest of one file. */
export const sampleManifest: Manifest = {
  manifest_version: 1,
  package: {
    id: '01a223bf-d695-7530-ba5e-5ad9d3134f7c',
    name: 'n',
    producer: 'p',
    subject: 's',
    retention_class: 'transient',
    metadata: { build: 42 },
    metadata_schema_slug: null,
    created_at: at,
    created_by: 'ci',
  },
  files: [sampleFile],
  storage_receipts: [
    {
      file_id: sampleFile.id,
      backend_id: 'local',
      object_key: `blake3/aa/aa/${digest}`,
      content_address: sampleFile.content_address,
      stored_at: at,
    },
  ],
  retention_summary: { retention_class: 'transient', expires_at: null },
  provenance: { finalized_at: at, finalized_by: 'ci', registry_id: 'r', software: 'artifactstore/0' },
};

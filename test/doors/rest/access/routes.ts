import { createHash, randomUUID } from 'node:crypto';

/** What a request is about: a package of the world, or the same with ids that nobody has. */
export interface Subject {
  readonly id: string;
  readonly producer: string;
  readonly fileId: string;
  readonly holdId: string;
  /** Of bytes that only this package has. */
  readonly address: string;
}

export interface Asked {
  readonly path: string;
  readonly method?: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export type Needed = 'read' | 'write' | 'keep' | 'observe';

/**
 * A row for each route. `package`: it is about one package, and needs this right for its producer. `producer`:
 * likewise, and the producer is said in the body. `server`: about none, for everybody or for a right. `list`: it shows
 * what the caller may read. `upload`: it begins one, for which the right to write to any producer is needed, or asks
 * for one that is not there.
 */
export type Row =
  | {
      readonly about: 'package' | 'producer';
      readonly needs: Needed;
      ask(subject: Subject): Asked;
      /** Whether a right for this producer will do; for the subject's own where absent. */
      willDo?(producer: string, subject: Subject): boolean;
    }
  | { readonly about: 'upload'; ask(): Asked; readonly status: number }
  | { readonly about: 'server'; readonly needs?: Needed; ask(): Asked }
  | {
      readonly about: 'list';
      ask(subject: Subject): Asked;
      readonly of: 'packages' | 'producers' | 'producers to write to';
      namesIn(answer: never): readonly string[];
    };

interface Items<T> {
  readonly items: readonly T[];
}

const json = (path: string, body: unknown): Asked => ({ method: 'POST', path, body });
const get = (path: string): Row => ({ about: 'server', ask: () => ({ path }) });
const ofPackage = (rest: string, needs: Needed = 'read'): Row => ({
  about: 'package',
  needs,
  ask: ({ id }) => ({ path: `/packages/${id}${rest}` }),
});

export const shared = 'bytes that every package has';
const digestOfShared = createHash('sha256').update(shared).digest('hex');
const nobodysUpload = '019b0000-0000-7000-8000-000000000000';
export const missing: string = `sha256:${'0'.repeat(64)}`;

/** By the name of the route's operation. */
export const rows: Readonly<Record<string, Row>> = {
  getServer: get('/'),
  getHealth: get('/health'),
  getLiveness: get('/livez'),
  getReadiness: get('/readyz'),
  getWhoAmI: get('/whoami'),
  listRetentionClasses: get('/retention-classes'),
  // Schemas are everybody's words.
  listMetadataSchemas: get('/metadata-schemas'),
  getMetadataSchema: get('/metadata-schemas/everybody'),
  getMetrics: { about: 'server', needs: 'observe', ask: () => ({ path: '/metrics' }) },
  getUsage: { about: 'server', needs: 'observe', ask: () => ({ path: '/usage' }) },

  getPackage: ofPackage(''),
  getManifest: ofPackage('/manifest'),
  getManifestJson: ofPackage('/manifest.json'),
  getArchive: ofPackage('/archive'),
  getArchiveOfFiles: { about: 'package', needs: 'read', ask: ({ id }) => json(`/packages/${id}/archive`, { relative_paths: ['own'] }) },
  listFiles: ofPackage('/files'),
  getFileBytes: ofPackage('/files/own'),
  getRetention: ofPackage('/retention'),
  getFile: { about: 'package', needs: 'read', ask: ({ fileId }) => ({ path: `/files/${fileId}` }) },
  downloadFile: { about: 'package', needs: 'read', ask: ({ fileId }) => ({ path: `/files/${fileId}/download` }) },
  getObject: { about: 'package', needs: 'read', ask: ({ address }) => ({ path: `/objects/${address}` }) },
  readEvents: {
    about: 'list',
    ask: () => ({ path: '/events?limit=500&event_type=v1.package.created', headers: { accept: 'application/json' } }),
    of: 'packages',
    namesIn: ({ items }: Items<{ readonly subject_id: string }>) => items.map(({ subject_id }) => subject_id),
  },
  listPackages: {
    about: 'list',
    ask: () => ({ path: '/packages?limit=1000' }),
    of: 'packages',
    namesIn: ({ items }: Items<{ readonly id: string }>) => items.map(({ id }) => id),
  },
  listExpiringPackages: {
    about: 'list',
    ask: () => ({ path: '/expiring-packages?limit=1000' }),
    of: 'packages',
    namesIn: ({ items }: Items<{ readonly id: string }>) => items.map(({ id }) => id),
  },
  listProducers: {
    about: 'list',
    ask: () => ({ path: '/producers?limit=1000' }),
    of: 'producers',
    namesIn: ({ items }: Items<{ readonly producer: string }>) => items.map(({ producer }) => producer),
  },
  findFiles: {
    about: 'list',
    ask: () => ({ path: `/files?limit=1000&digest=sha256:${digestOfShared}` }),
    of: 'packages',
    namesIn: ({ items }: Items<{ readonly package: { readonly id: string } }>) => items.map((file) => file.package.id),
  },

  createPackage: {
    about: 'producer',
    needs: 'write',
    ask: ({ producer }) => json('/packages', { name: 'n', producer, subject: 'new', retention_class: 'transient' }),
  },
  registerMetadataSchema: {
    about: 'producer',
    needs: 'write',
    ask: ({ producer }) => json('/metadata-schemas', { slug: `${producer}.v1`, json_schema: { type: 'object' } }),
    willDo: (producer, subject) => `${subject.producer}.v1`.startsWith(`${producer}.`),
  },
  abandonPackage: { about: 'package', needs: 'write', ask: ({ id }) => ({ method: 'DELETE', path: `/packages/${id}` }) },
  finalizePackage: { about: 'package', needs: 'write', ask: ({ id }) => ({ method: 'POST', path: `/packages/${id}/finalize` }) },
  putFile: {
    about: 'package',
    needs: 'write',
    ask: ({ id }) => ({
      method: 'PUT',
      path: `/packages/${id}/files/put`,
      body: 'text',
      headers: { 'content-type': 'application/octet-stream' },
    }),
  },
  addFiles: {
    about: 'package',
    needs: 'write',
    ask: ({ id }) => json(`/packages/${id}/files`, { items: [{ relative_path: 'none', content_address: missing, size_bytes: 1 }] }),
  },
  getNamedObject: { about: 'package', needs: 'read', ask: ({ address }) => ({ path: `/objects/${address}/a-name` }) },
  openWriteSession: {
    about: 'producer',
    needs: 'write',
    ask: ({ producer }) => ({
      ...json('/write-sessions', {
        scope: 'access',
        producer,
        subject: 's',
        namespace: 'n',
        retention_class: 'transient',
        objects: [{ name: 'one', sha256: '0'.repeat(64), size_bytes: 1 }],
        ttl_seconds: 60,
      }),
      headers: { 'idempotency-key': randomUUID() },
    }),
  },
  listWriteSessions: {
    about: 'list',
    ask: () => ({ path: '/write-sessions?limit=1000' }),
    of: 'producers to write to',
    namesIn: ({ items }: Items<{ readonly producer: string }>) => items.map(({ producer }) => producer),
  },
  // Of nobody's session, as of nobody's upload.
  getWriteSession: { about: 'upload', ask: () => ({ path: `/write-sessions/${nobodysUpload}` }), status: 404 },
  putSessionObject: {
    about: 'upload',
    ask: () => ({ method: 'PUT', path: `/write-sessions/${nobodysUpload}/objects/one`, body: 'x' }),
    status: 404,
  },
  uploadSessionObject: {
    about: 'upload',
    ask: () => json(`/write-sessions/${nobodysUpload}/uploads`, { name: 'one' }),
    status: 404,
  },
  commitWriteSession: {
    about: 'upload',
    ask: () => ({ method: 'POST', path: `/write-sessions/${nobodysUpload}/commit` }),
    status: 404,
  },
  abortWriteSession: { about: 'upload', ask: () => ({ method: 'DELETE', path: `/write-sessions/${nobodysUpload}` }), status: 404 },
  // Of nobody's upload: one that is there is its own beginner's alone.
  getTusOptions: { about: 'upload', ask: () => ({ method: 'OPTIONS', path: '/uploads' }), status: 204 },
  createUpload: { about: 'upload', ask: () => ({ method: 'POST', path: '/uploads' }), status: 201 },
  // Its own are nobody else's.
  listUploads: { about: 'upload', ask: () => ({ path: '/uploads' }), status: 200 },
  getUpload: { about: 'upload', ask: () => ({ path: `/uploads/${nobodysUpload}` }), status: 404 },
  putUpload: { about: 'upload', ask: () => ({ method: 'PUT', path: `/uploads/${nobodysUpload}`, body: 'x' }), status: 404 },
  abandonUpload: { about: 'upload', ask: () => ({ method: 'DELETE', path: `/uploads/${nobodysUpload}` }), status: 404 },
  completeUpload: {
    about: 'upload',
    ask: () => json(`/uploads/${nobodysUpload}/complete`, { package_id: nobodysUpload, relative_path: 'x' }),
    status: 404,
  },
  continueUpload: {
    about: 'upload',
    ask: () => ({
      method: 'PATCH',
      path: `/uploads/${nobodysUpload}`,
      body: 'x',
      headers: { 'content-type': 'application/partial-upload', 'upload-offset': '0', 'upload-complete': '?1' },
    }),
    status: 404,
  },
  getUploadOptions: { about: 'upload', ask: () => ({ path: `/packages/${nobodysUpload}/files/x`, method: 'OPTIONS' }), status: 204 },
  extendRetention: {
    about: 'package',
    needs: 'keep',
    ask: ({ id }) => json(`/packages/${id}/retention/extensions`, { extend_by_seconds: 1, reason: 'longer' }),
  },
  holdPackage: { about: 'package', needs: 'keep', ask: ({ id }) => json(`/packages/${id}/retention/holds`, { reason: 'kept' }) },
  releaseHold: {
    about: 'package',
    needs: 'keep',
    ask: ({ id, holdId }) => ({ method: 'DELETE', path: `/packages/${id}/retention/holds/${holdId}` }),
  },
};

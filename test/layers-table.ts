/**
 * What the files of a part may import besides the part itself, the kernel and, if it is not pure, the runtime: a file,
 * or a folder with its `/`. A part is a folder of src/, or a file directly in it. docs/pictures/layers.svg is drawn
 * from this table, by tools/pictures/draw.ts.
 */
export const mayImport: Readonly<Record<string, readonly string[]>> = {
  kernel: [],
  runtime: [],
  protocol: [],
  storage: ['credentials/CREDENTIALS.ts', 'protocol/'],
  database: [],
  secrets: ['protocol/'],
  credentials: ['protocol/', 'secrets/reference.ts'],
  certify: ['credentials/CREDENTIALS.ts', 'protocol/', 'storage/'],
  dataplane: ['storage/STORAGE.ts'],
  backup: ['dataplane/DATAPLANE.ts', 'storage/'],
  bundle: [],
  confined: [],
  identity: ['protocol/'],
  registry: ['backup/BACKUP.ts', 'confined/', 'dataplane/DATAPLANE.ts', 'database/DATABASE.ts', 'database/schema.ts'],
  http: ['protocol/'],
  doors: ['bundle/', 'http/', 'identity/IDENTITY.ts', 'protocol/', 'registry/limits.ts', 'registry/REGISTRY.ts'],
  client: ['protocol/', 'registry/REGISTRY.ts'],
  serve: ['bundle/', 'config/config.ts', 'doors/', 'http/', 'identity/', 'registry/REGISTRY.ts', 'registry/upkeep/OPERATOR.ts'],
  cli: [
    'client/',
    'command.ts',
    'config/config.ts',
    'http/log.ts',
    'identity/',
    'protocol/',
    'registry/upkeep/OPERATOR.ts',
    'registry/REGISTRY.ts',
    'secrets/',
    'serve/',
    'certify/certificate.ts',
  ],
  'command.ts': ['config/config.ts'],
  config: ['database/target.ts', 'protocol/', 'secrets/place.ts', 'secrets/SECRETS.ts', 'storage/kind.ts', 'storage/kinds.ts'],
  compose: ['backup/', 'certify/', 'config/', 'credentials/', 'database/', 'dataplane/', 'registry/', 'secrets/', 'storage/', 'version.ts'],
  'version.ts': ['../package.json'],
  'main.ts': ['cli/', 'command.ts', 'compose/', 'index.ts', 'version.ts'],
  'index.ts': [
    'client/',
    'command.ts',
    'compose/',
    'config/config.ts',
    'registry/upkeep/OPERATOR.ts',
    'registry/REGISTRY.ts',
    'storage/kind.ts',
    'storage/kinds.ts',
    'version.ts',
  ],
};

/** Parts whose answers depend on their arguments alone. */
export const pure: readonly string[] = ['kernel', 'protocol'];

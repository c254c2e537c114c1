/** Which operations take what an answer of this one names: links of the OpenAPI, by operation id. */

interface Leads {
  readonly parameters: Readonly<Record<string, string>>;
  readonly to: readonly string[];
}

const leads: Readonly<Record<string, readonly Leads[]>> = {
  createPackage: [
    {
      parameters: { id: '$response.body#/id' },
      to: [
        'getPackage',
        'abandonPackage',
        'finalizePackage',
        'getManifest',
        'getManifestJson',
        'getArchive',
        'getArchiveOfFiles',
        'listFiles',
        'addFiles',
        'putFile',
        'getRetention',
        'extendRetention',
        'holdPackage',
      ],
    },
  ],
  putFile: [
    { parameters: { id: '$response.body#/id' }, to: ['getFile', 'downloadFile'] },
    { parameters: { id: '$response.body#/package_id', relative_path: '$response.body#/relative_path' }, to: ['getFileBytes'] },
    { parameters: { id: '$response.body#/package_id' }, to: ['finalizePackage'] },
    { parameters: { content_address: '$response.body#/content_address' }, to: ['getObject'] },
    { parameters: { digest: '$response.body#/content_address' }, to: ['findFiles'] },
  ],
  finalizePackage: [
    { parameters: { id: '$response.body#/package_id' }, to: ['getManifest', 'getManifestJson', 'getArchive', 'getArchiveOfFiles'] },
  ],
  holdPackage: [{ parameters: { id: '$request.path.id', hold_id: '$response.body#/id' }, to: ['releaseHold'] }],
  registerMetadataSchema: [{ parameters: { slug: '$response.body#/slug' }, to: ['getMetadataSchema'] }],
};

export function linksOf(operationId: string): Readonly<Record<string, object>> | undefined {
  const found = leads[operationId]?.flatMap(({ parameters, to }) => to.map((id) => [id, { operationId: id, parameters }] as const));
  return found === undefined ? undefined : Object.fromEntries(found);
}

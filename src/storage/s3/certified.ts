import { readFile } from 'node:fs/promises';
import { ArtifactstoreError } from '../../kernel/error.ts';
import { isPlainObject } from '../../kernel/format/json-value.ts';
import { errnoCode } from '../../runtime/file-error.ts';
import { type S3BackendConfig, variablesOf } from './config.ts';
import { endpointOf, type PresignedUploads } from './settings.ts';

/** A store changes with its versions: what was found out longer ago is asked again. */
const oldestDays = 90;
const dayMilliseconds = 86_400_000;
/** Clocks of two machines may differ so much. */
const aheadMilliseconds = 3_600_000;

/**
 * What the certificate says of presigned uploads, when it says that they are safe: one of this bucket, made by
 * `storage certify --save` not too long ago, that finds registry storage and uploads by presigned addresses safe, or
 * safe with precautions that this server takes. Errors: `invalid_configuration`, with what speaks against it.
 */
export async function requireCertified(backend: S3BackendConfig, now: number = Date.now()): Promise<PresignedUploads> {
  const refuse = (why: string): never => {
    throw new ArtifactstoreError(
      'invalid_configuration',
      `${variablesOf(backend)}PRESIGNED_UPLOADS is true, and ${why}. Certify the store with artifactstore storage certify --save ` +
        '(docs/stores.md says what is asked of it), or set it to false: then bytes of write sessions go through this server.',
      { field: `${variablesOf(backend)}PRESIGNED_UPLOADS` },
    );
  };
  const path = backend.profilePath;
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    if (errnoCode(error) === 'ENOENT') return refuse(`there is no certificate of the store: ${path} is not there`);
    return refuse(`its certificate ${path} cannot be read (${errnoCode(error) ?? 'unknown error'})`);
  });
  const certificate = parsed(text) ?? refuse(`${path} is not a certificate`);
  const { store, started_at } = certificate;
  const { endpoint, bucket } = fields(store);
  if (endpoint !== endpointOf(backend) || bucket !== backend.bucket)
    refuse(`the certificate ${path} is that of another place: ${String(bucket)} at ${String(endpoint)}`);
  const started = typeof started_at === 'string' ? Date.parse(started_at) : Number.NaN;
  if (Number.isNaN(started)) refuse(`the certificate ${path} does not say of when it is`);
  if (started > now + aheadMilliseconds) refuse(`the certificate ${path} is of the future: ${String(started_at)}`);
  if (now - started > oldestDays * dayMilliseconds)
    refuse(`the certificate ${path} is of ${String(started_at)}, more than ${oldestDays} days ago`);
  for (const use of ['registry', 'direct-uploads']) requireUse(use, certificate, path, refuse);
  return {
    createOnly: resultOf(certificate, 'presigned.create-only') === 'pass',
    copies: ['objects.copy', 'objects.etag-is-md5'].every((id) => resultOf(certificate, id) === 'pass'),
  };
}

/**
 * What the server does about it, or what does not concern it. Everything else that a store does differently is for its
 * operator to mend.
 */
const precautionsTaken: readonly string[] = [
  'presigned.content-type',
  'presigned.get-range',
  'presigned.create-only',
  'presigned.metadata',
  'presigned.sdk',
  'objects.metadata',
];

/** What binds a handle, and must have been found to bind by this very certificate. */
const binding: readonly string[] = [
  'presigned.put',
  'presigned.length',
  'presigned.digest',
  'presigned.expired-put',
  'presigned.other-method',
  'presigned.other-key',
  'presigned.copy-source',
  'presigned.acl',
];

function requireUse(use: string, certificate: Fields, path: string, refuse: (why: string) => never): void {
  const judged = list(certificate.uses).find((each) => each.use === use);
  const name = use === 'registry' ? 'registry storage' : 'uploads from browsers, by presigned addresses';
  const { verdict } = judged ?? {};
  if (verdict !== 'safe' && verdict !== 'safe_with_precautions')
    refuse(`the certificate ${path} finds the store ${String(verdict ?? 'unproven')} for ${name}`);
  if (use === 'registry') return;
  const open =
    verdict === 'safe' ? [] : list(judged?.decided_by).flatMap(({ id }) => (precautionsTaken.includes(String(id)) ? [] : [String(id)]));
  const failed = binding.filter((id) => resultOf(certificate, id) !== 'pass');
  const against = [...new Set([...open, ...failed])];
  if (against.length > 0) refuse(`the certificate ${path} does not find that addresses bind: ${against.join(', ')}`);
}

type Fields = Readonly<Record<string, unknown>>;

function resultOf({ probes }: Fields, id: string): unknown {
  return list(probes).find((each) => each.id === id)?.result;
}

function parsed(text: string): Fields | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isPlainObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function fields(value: unknown): Fields {
  return isPlainObject(value) ? value : {};
}

function list(value: unknown): readonly Fields[] {
  return Array.isArray(value) ? value.map(fields) : [];
}

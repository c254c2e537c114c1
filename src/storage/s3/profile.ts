import { randomUUID } from 'node:crypto';
import { mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { ArtifactstoreError } from '../../kernel/error.ts';
import { errnoCode } from '../../kernel/file-error.ts';
import type { Certificate } from '../certify/certificate.ts';
import { fsyncPath } from '../durable-directory.ts';
import type { Dialect } from './settings.ts';

/** What is known of a store's ways, and of which store. */
export interface Profile {
  readonly endpointUrl: string;
  readonly bucket: string;
  readonly dialect: Dialect;
}

/** Writes a certificate where the backend looks for it: whole, or not at all. */
export async function writeProfile(path: string, certificate: Certificate): Promise<void> {
  const target = resolve(path);
  const draft = `${target}.${randomUUID()}.draft`;
  await mkdir(dirname(target), { recursive: true });
  try {
    const handle = await open(draft, 'wx', 0o644);
    try {
      await handle.writeFile(`${JSON.stringify(certificate, undefined, 2)}\n`);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(draft, target);
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
  await fsyncPath(dirname(target));
}

/** Undefined where there is no such file. Errors: `invalid_configuration`, naming the file, where it is no certificate. */
export async function readProfile(path: string): Promise<Profile | undefined> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (errnoCode(error) === 'ENOENT') return undefined;
    throw unreadable(path, (error as Error).message, error);
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw unreadable(path, 'it is not JSON', error);
  }
  const { store, dialect } = fields(value);
  const { endpoint, bucket } = fields(store);
  const { bodyBinding, ownerAcl } = fields(dialect);
  if (typeof endpoint !== 'string' || typeof bucket !== 'string') throw unreadable(path, 'store.endpoint or store.bucket is missing');
  if (bodyBinding !== 'signed-sha256' && bodyBinding !== 'content-md5')
    throw unreadable(path, 'dialect.bodyBinding is neither signed-sha256 nor content-md5');
  if (typeof ownerAcl !== 'boolean') throw unreadable(path, 'dialect.ownerAcl is neither true nor false');
  return { endpointUrl: endpoint, bucket, dialect: { bodyBinding, ownerAcl } };
}

function fields(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
}

function unreadable(path: string, text: string, cause?: unknown): ArtifactstoreError {
  return new ArtifactstoreError(
    'invalid_configuration',
    `The store's profile ${path} cannot be used: ${text}. Make it anew with storage certify --save, or remove it.`,
    { field: 'ARTIFACTSTORE_S3_PROFILE_PATH', ...(cause === undefined ? {} : { cause }) },
  );
}

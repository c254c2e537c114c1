import { randomUUID } from 'node:crypto';
import { mkdir, open, readFile, rm, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { s3Variables } from '../../credentials/CREDENTIALS.ts';
import { ArtifactstoreError } from '../../kernel/error.ts';
import { isPlainObject } from '../../kernel/format/json-value.ts';
import { errnoCode, localFileError } from '../../runtime/file-error.ts';
import { replaceFile } from '../../runtime/replace-file.ts';
import type { Dialect } from './settings.ts';

/** What is known of a store's ways, and of which store. */
export interface Profile {
  readonly endpointUrl: string;
  readonly bucket: string;
  readonly dialect: Dialect;
}

/** The document that holds a profile, and whatever else was found out of the store. */
export interface ProfileDocument {
  readonly store: { readonly endpoint: string; readonly bucket: string };
  readonly dialect: Dialect;
}

/**
 * Tries whether a document can be written there, and leaves nothing but its folder: finding out what goes into it takes
 * minutes. Throws what is to be done about it.
 */
export async function tryProfilePath(path: string, variables: string = s3Variables): Promise<void> {
  const target = resolve(path);
  const draft = `${target}.${randomUUID()}.draft`;
  try {
    await mkdir(dirname(target), { recursive: true });
    await (await open(draft, 'wx', 0o644)).close();
    await rm(draft);
  } catch (error) {
    throw unwritable(error, target, variables);
  }
  const there = await stat(target).catch(() => undefined);
  if (there?.isDirectory() === true)
    throw new ArtifactstoreError('invalid_path', `"${target}" can't be written: it is a directory.`, {
      field: `${variables}PROFILE_PATH`,
      info: { hint: unwritableHint(variables) },
    });
}

/** Writes a document where the backend looks for it: whole, or not at all. */
export async function writeProfile(path: string, document: ProfileDocument, variables: string = s3Variables): Promise<void> {
  const target = resolve(path);
  try {
    await mkdir(dirname(target), { recursive: true });
    await replaceFile(target, [Buffer.from(`${JSON.stringify(document, undefined, 2)}\n`)], { mode: 0o644 });
  } catch (error) {
    throw unwritable(error, target, variables);
  }
}

/**
 * Undefined where there is no such file. Errors: `invalid_configuration`, naming the file, where it is no certificate.
 */
export async function readProfile(path: string, variables: string = s3Variables): Promise<Profile | undefined> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (errnoCode(error) === 'ENOENT') return undefined;
    throw unreadable(path, variables, (error as Error).message, error);
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw unreadable(path, variables, 'it is not JSON', error);
  }
  const { store, dialect } = fields(value);
  const { endpoint, bucket } = fields(store);
  const { bodyBinding, ownerAcl } = fields(dialect);
  if (typeof endpoint !== 'string' || typeof bucket !== 'string')
    throw unreadable(path, variables, 'store.endpoint or store.bucket is missing');
  if (bodyBinding !== 'signed-sha256' && bodyBinding !== 'content-md5')
    throw unreadable(path, variables, 'dialect.bodyBinding is neither signed-sha256 nor content-md5');
  if (typeof ownerAcl !== 'boolean') throw unreadable(path, variables, 'dialect.ownerAcl is neither true nor false');
  return { endpointUrl: endpoint, bucket, dialect: { bodyBinding, ownerAcl } };
}

function unwritable(error: unknown, path: string, variables: string): unknown {
  return localFileError(error, path, 'written', {
    field: `${variables}PROFILE_PATH`,
    info: { hint: unwritableHint(variables) },
  });
}

function unwritableHint(variables: string): string {
  return `set ${variables}PROFILE_PATH to a file that this user can write`;
}

function fields(value: unknown): Readonly<Record<string, unknown>> {
  return isPlainObject(value) ? value : {};
}

function unreadable(path: string, variables: string, text: string, cause?: unknown): ArtifactstoreError {
  return new ArtifactstoreError(
    'invalid_configuration',
    `The store's profile ${path} cannot be used: ${text}. Make it again with storage certify --save, or remove it.`,
    { field: `${variables}PROFILE_PATH`, ...(cause === undefined ? {} : { cause }) },
  );
}

import { resolve } from 'node:path';
import type { StorePlace } from '../certify/shape/reports.ts';
import { isSettingName } from '../config/config.ts';
import { isPlaceholder } from '../secrets/check/form.ts';
import { secretOf } from '../secrets/secret.ts';
import { plainHint, seeEnvFileAt } from './env-file.ts';
import { type Wrong, wrongError } from './wrongs.ts';

/** Settings whose values are no secrets. */
export const publicStoreSettings: readonly string[] = [
  'S3_ENDPOINT_URL',
  'S3_REGION',
  'S3_FORCE_PATH_STYLE',
  'S3_BUCKET',
  'COSMO_S3_BUCKET',
];

/** Whether a variable is one of those that name a store and its bucket. */
export const isStoreSetting = (variable: string): boolean =>
  publicStoreSettings.includes(variable) || variable === 'S3_ACCESS_KEY_ID' || variable === 'S3_SECRET_ACCESS_KEY';

/**
 * The bucket that a file of `NAME=value` lines names. Other settings may be in it. Errors: `invalid_configuration` with
 * all that is wrong, by line and name, and never a value.
 */
export async function readStorePlace(directory: string, file: string): Promise<StorePlace> {
  const { values, names, problems } = await seeEnvFileAt(resolve(directory, file), '--settings');
  const wrongs: Wrong[] = [...problems];
  // Of a line that readers take differently it is not known what its value is, nor that it is missing.
  const doubted = new Set(problems.map(({ name }) => name));
  const read = <T>(name: string, parse: (text: string) => T): T | undefined => {
    if (doubted.has(name)) return undefined;
    try {
      return parse(given(values, name));
    } catch (error) {
      wrongs.push({ name, text: (error as Error).message });
      return undefined;
    }
  };
  const bucketSetting = names.has('COSMO_S3_BUCKET') ? 'COSMO_S3_BUCKET' : 'S3_BUCKET';
  const place = {
    endpointUrl: read('S3_ENDPOINT_URL', parseEndpoint),
    region: read('S3_REGION', parseRegion),
    accessKeyId: read('S3_ACCESS_KEY_ID', (text) => text),
    secretAccessKey: read('S3_SECRET_ACCESS_KEY', (text) => text),
    forcePathStyle: read('S3_FORCE_PATH_STYLE', parsePathStyle),
    bucket: read(bucketSetting, (text) => parseBucket(values, text)),
  };
  const { endpointUrl, region, accessKeyId, secretAccessKey, forcePathStyle, bucket } = place;
  if (
    wrongs.length === 0 &&
    endpointUrl !== undefined &&
    region !== undefined &&
    accessKeyId !== undefined &&
    secretAccessKey !== undefined &&
    forcePathStyle !== undefined &&
    bucket !== undefined
  )
    return { endpointUrl, region, bucket, forcePathStyle, keys: { accessKeyId, secretAccessKey }, bucketSetting };
  const known = [...names].some(isStoreSetting);
  const detail = { field: '--settings', info: { hint: hintOf(names, problems.length > 0) } };
  throw wrongError(`${file} does not say which store to use${known ? '' : ` (${noSetting(names)})`}`, wrongs, detail, ' ');
}

/** Whoever gave another file than was meant is not to look for what is missing in it. */
function noSetting(names: ReadonlySet<string>): string {
  if (names.size === 0) return 'it is empty, or all of it is comments';
  return names.size === 1 ? 'its one name is none of these' : `none of its ${names.size} names is one of these`;
}

function hintOf(names: ReadonlySet<string>, hasOddLines: boolean): string {
  const isOther = ![...names].some(isStoreSetting) && [...names].some(isSettingName);
  return [
    ...(isOther ? ['it looks like a file of the server: `config check --settings` reads those'] : []),
    'correct the file, or what makes it; docs/baseline.md has an example',
    ...(hasOddLines ? [plainHint] : []),
  ].join('; ');
}

function given(values: ReadonlyMap<string, string>, name: string): string {
  const value = values.get(name);
  if (value === undefined) {
    // What other programs call it.
    const other = otherNames[name]?.find((each) => values.has(each));
    throw new Error(
      other === undefined ? `is missing${missingText[name] ?? ''}` : `is missing; ${other} is there, which is another setting`,
    );
  }
  if (value === '') throw new Error('is empty: what made the file had no value for it');
  // A switch has its own words for what it is not.
  if (name !== 'S3_FORCE_PATH_STYLE' && isPlaceholder(secretOf(value))) throw new Error('is a placeholder: put the value there');
  return value;
}

const missingText: Readonly<Record<string, string>> = {
  S3_REGION: ': parts of Cosmo that are not told take different ones (auto, default)',
  S3_FORCE_PATH_STYLE: ': parts of Cosmo that are not told take different ones; most stores of your own need true',
  S3_BUCKET: ', and so is COSMO_S3_BUCKET',
};

const otherNames: Readonly<Record<string, readonly string[]>> = {
  S3_ENDPOINT_URL: ['S3_ENDPOINT', 'AWS_ENDPOINT_URL', 'AWS_ENDPOINT_URL_S3', 'ARTIFACTSTORE_S3_ENDPOINT_URL'],
  S3_REGION: ['AWS_REGION', 'AWS_DEFAULT_REGION', 'ARTIFACTSTORE_S3_REGION'],
  S3_ACCESS_KEY_ID: ['S3_ACCESS_KEY', 'AWS_ACCESS_KEY_ID', 'MINIO_ROOT_USER'],
  S3_SECRET_ACCESS_KEY: ['S3_SECRET_KEY', 'AWS_SECRET_ACCESS_KEY', 'MINIO_ROOT_PASSWORD'],
  S3_BUCKET: ['ARTIFACTSTORE_S3_BUCKET', 'AWS_BUCKET'],
};

/** Nothing of the text is repeated: a password may be in it. */
function parseEndpoint(text: string): string {
  const url = URL.parse(text);
  if (/^[^/]*:\/\//.test(text) === false)
    throw new Error('has no scheme: begin it with http:// or https:// (clients of S3 take it for no address otherwise)');
  if (url === null) throw new Error('is no address');
  if (url.protocol !== 'http:' && url.protocol !== 'https:')
    throw new Error(`begins with ${url.protocol}//, and stores speak http:// and https://`);
  if (url.username !== '' || url.password !== '')
    throw new Error('has a user or a password in it, which logs show: the keys belong in S3_ACCESS_KEY_ID and S3_SECRET_ACCESS_KEY');
  if (url.search !== '' || url.hash !== '' || /[?#]/.test(text)) throw new Error('has a query or a fragment: it is scheme, host and port');
  if (url.pathname !== '/') throw new Error('has a path: it is scheme, host and port, and the bucket has a setting of its own');
  if (text.endsWith('/')) throw new Error('ends with a slash, which becomes a part of the name of the bucket in S3_STORAGE_URL: remove it');
  return url.origin;
}

function parseRegion(text: string): string {
  if (!/^[A-Za-z0-9_-]{1,63}$/.test(text)) throw new Error('is not a region: letters, digits, "-" and "_"');
  return text;
}

function parsePathStyle(text: string): boolean {
  if (text !== 'true' && text !== 'false') throw new Error('is neither true nor false: parts of Cosmo take anything else for false');
  return text === 'true';
}

function parseBucket(values: ReadonlyMap<string, string>, text: string): string {
  const [first, second] = [values.get('COSMO_S3_BUCKET'), values.get('S3_BUCKET')];
  if (first !== undefined && second !== undefined && first !== second)
    throw new Error('and S3_BUCKET name different buckets: leave one of them out');
  if (text.includes('/')) throw new Error('has a slash: it is the name of a bucket, and nothing before or behind it');
  if (!/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(text) || /\.\.|^\d+\.\d+\.\d+\.\d+$/.test(text))
    throw new Error('cannot be the name of a bucket: 3 to 63 small letters, digits, "-" and ".", with a letter or digit at both ends');
  return text;
}

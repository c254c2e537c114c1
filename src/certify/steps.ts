import { createHash } from 'node:crypto';
import { demand, type ProbeContext } from './probe.ts';
import type { Call, Reply, Wire } from './wire.ts';
import { elements, elementText, escaped } from './xml.ts';

type More = Omit<Call, 'key'>;
type Sender = Pick<ProbeContext, 'wire'>;

/** As in "answered 403 AccessDenied". */
export function told({ status, code }: Reply): string {
  return `answered ${status}${code === undefined ? '' : ` ${code}`}`;
}

export function good(reply: Reply, doing: string): Reply {
  demand(reply.status >= 200 && reply.status < 300 && reply.code === undefined, `${doing} was ${told(reply)}`);
  return reply;
}

export function refused({ status }: Reply): boolean {
  return status >= 400 && status < 500;
}

export async function put({ wire }: Sender, key: string, body: string | Uint8Array, more: More = {}): Promise<Reply> {
  return good(await wire.send({ method: 'PUT', key, body, ...more }), 'a write');
}

export async function get({ wire }: Sender, key: string, more: More = {}): Promise<Reply> {
  return good(await wire.send({ key, ...more }), 'a read');
}

export async function head({ wire }: Sender, key: string, more: More = {}): Promise<Reply> {
  return await wire.send({ method: 'HEAD', key, ...more });
}

export async function remove({ wire }: Sender, key: string, more: More = {}): Promise<Reply> {
  return await wire.send({ method: 'DELETE', key, ...more });
}

/** Demands that exactly these bytes are read. */
export async function holds(context: Sender, key: string, body: Uint8Array, what = 'the object'): Promise<void> {
  const { body: found } = await get(context, key);
  demand(found.equals(body), `${what} came back as ${found.length} bytes that are not the ${body.byteLength} that were written`);
}

export async function isThere(context: Sender, key: string): Promise<boolean> {
  const { status } = await head(context, key);
  demand(status === 200 || status === 404, `HEAD answered ${status}`);
  return status === 200;
}

export interface Page {
  readonly keys: readonly string[];
  readonly prefixes: readonly string[];
  readonly sizes: readonly number[];
  readonly truncated: boolean;
  readonly token: string | undefined;
}

/** One page of ListObjectsV2. */
export async function list({ wire }: { readonly wire: Wire }, query: Readonly<Record<string, string>>): Promise<Page> {
  const reply = good(await wire.send({ query: { 'list-type': '2', 'encoding-type': 'url', ...query } }), 'a list');
  const xml = reply.body.toString();
  // A store may leave the encoding out; then a percent sign is a percent sign.
  const encoded = elementText(xml, 'EncodingType') === 'url';
  const shown = (text: string): string => (encoded ? decodeURIComponent(text.replaceAll('+', ' ')) : text);
  const contents = elements(xml, 'Contents');
  return {
    keys: contents.map((each) => shown(elementText(each, 'Key') ?? '')),
    sizes: contents.map((each) => Number(elementText(each, 'Size'))),
    prefixes: elements(xml, 'CommonPrefixes').map((each) => shown(elementText(each, 'Prefix') ?? '')),
    truncated: elementText(xml, 'IsTruncated') === 'true',
    token: elementText(xml, 'NextContinuationToken'),
  };
}

/** Every key under a prefix, page by page. */
export async function listAll(
  context: { readonly wire: Wire },
  prefix: string,
  pageSize?: number,
): Promise<{ readonly keys: readonly string[]; readonly pages: number }> {
  const keys: string[] = [];
  let token: string | undefined;
  for (let pages = 1; ; pages++) {
    const page = await list(context, {
      prefix,
      ...(pageSize === undefined ? {} : { 'max-keys': String(pageSize) }),
      ...(token === undefined ? {} : { 'continuation-token': token }),
    });
    keys.push(...page.keys);
    if (!page.truncated) return { keys, pages };
    demand(page.token !== undefined && page.token !== token, 'a page that is not the last has no token of its own');
    token = page.token;
  }
}

export async function createUpload({ wire }: Sender, key: string, headers: Readonly<Record<string, string>> = {}): Promise<string> {
  const reply = good(await wire.send({ method: 'POST', key, query: { uploads: '' }, headers }), 'the start of an upload in parts');
  const uploadId = elementText(reply.body.toString(), 'UploadId');
  demand(uploadId !== undefined && uploadId !== '', 'an upload in parts got no id');
  return uploadId;
}

export interface Part {
  readonly number: number;
  readonly etag: string;
}

export async function uploadPart({ wire }: Sender, key: string, uploadId: string, number: number, body: Uint8Array): Promise<Part> {
  const query = { partNumber: String(number), uploadId };
  const reply = good(await wire.send({ method: 'PUT', key, query, body }), `part ${number}`);
  demand(typeof reply.headers.etag === 'string', `part ${number} got no ETag`);
  return { number, etag: reply.headers.etag };
}

/** The answer as it is: it may be 200 and still an error. */
export async function complete(
  { wire }: Sender,
  key: string,
  uploadId: string,
  parts: readonly Part[],
  headers: Readonly<Record<string, string>> = {},
): Promise<Reply> {
  const rows = parts.map(({ number, etag }) => `<Part><PartNumber>${number}</PartNumber><ETag>${escaped(etag)}</ETag></Part>`);
  const body = `<CompleteMultipartUpload xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${rows.join('')}</CompleteMultipartUpload>`;
  return await wire.send({ method: 'POST', key, query: { uploadId }, headers: { 'content-type': 'application/xml', ...headers }, body });
}

export async function abort({ wire }: Sender, key: string, uploadId: string): Promise<Reply> {
  return await wire.send({ method: 'DELETE', key, query: { uploadId } });
}

/** Uploads bodies as parts 1, 2, 3 … in the given order of sending. */
export async function uploadParts(
  context: Sender,
  key: string,
  bodies: readonly Uint8Array[],
  order: readonly number[] = bodies.map((_, index) => index + 1),
): Promise<{ readonly uploadId: string; readonly parts: readonly Part[] }> {
  const uploadId = await createUpload(context, key);
  const parts: Part[] = [];
  for (const number of order) parts.push(await uploadPart(context, key, uploadId, number, bodies[number - 1]!));
  return { uploadId, parts: parts.sort((left, right) => left.number - right.number) };
}

export function md5(body: string | Uint8Array): string {
  return createHash('md5').update(body).digest('base64');
}

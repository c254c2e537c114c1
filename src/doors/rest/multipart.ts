import type { FastifyRequest } from 'fastify';
import { memoryOfJson, readChecked } from '../../http/body.ts';
import { type ByteReader, createByteReader, pass, untilCut } from '../../http/byte-reader.ts';
import { type Limits, partHeadBytes } from '../../http/limits.ts';
import type { MemoryAccount } from '../../http/memory.ts';
import { statedDigests } from '../../http/stated-digests.ts';
import { parseRelativePath } from '../../kernel/content/path.ts';
import { ArtifactstoreError, isArtifactstoreError } from '../../kernel/error.ts';
import { isJsonObject, type JsonValue, parseJson } from '../../kernel/format/json.ts';
import { type PartHead, parseParameters, parsePartHead } from '../../protocol/part-head.ts';
import type { NewFile } from '../../registry/REGISTRY.ts';

const headLines = 20;
const lineEnd = Buffer.from('\r\n');

type Annotations = ReadonlyMap<string, Readonly<Record<string, string>>>;

/**
 * The files of a multipart/form-data body (RFC 7578), in order, each streamed as it arrives: a part's `filename`,
 * whole, is its relative path. A text field `annotations` before the files is a JSON object of relative path -> string
 * map. Nothing is ignored and nothing rewritten: a part that is not one of these, a name that is not UTF-8 and a coded
 * body are refused. The sequence ends only after the closing boundary.
 */
export async function* readFiles(
  request: FastifyRequest,
  limits: Limits,
  signal: AbortSignal,
  memory: MemoryAccount,
): AsyncGenerator<NewFile, void, undefined> {
  const boundary = Buffer.from(`\r\n--${boundaryOf(request.raw.headers['content-type'])}`, 'latin1');
  const body = readChecked(request, limits);
  const reader = createByteReader(after(lineEnd, body));
  const seen = new Set<string>();
  let annotations: Annotations = new Map();
  try {
    if (!(await pass(reader.streamUntil(boundary)))) throw malformed('does not have the boundary of its content type');
    for (let number = 1; await hasNextPart(reader); number++) {
      const where = `part ${number}`;
      const head = await readHead(reader, where);
      refuseCoding(head, where);
      const bytes = reader.streamUntil(boundary);
      if (head.filename === undefined) {
        if (head.name !== 'annotations' || seen.size > 0 || number > 1)
          throw malformed(`has a text field in ${where}; only one "annotations" before the files is taken`);
        annotations = readAnnotations(await readField(bytes, head, limits, memory), where, limits);
        continue;
      }
      const { filename } = head;
      if (filename === '') throw malformed(`has a file without a filename in ${where}`);
      if (seen.size >= limits.filesPerRequest) throw tooManyFiles(limits);
      if (seen.has(filename)) throw malformed(`names the file "${filename}" twice`, filename);
      seen.add(filename);
      const ofFile = annotations.get(filename);
      const digests = statedDigests(head.fields);
      yield {
        relative_path: parseRelativePath(filename, filename),
        media_type: head.fields.get('content-type') ?? 'text/plain',
        body: { [Symbol.asyncIterator]: () => untilCut(bytes, cutShort) },
        signal,
        ...statedSize(head, where),
        ...(ofFile === undefined ? {} : { annotations: ofFile }),
        ...(digests.size === 0 ? {} : { digests }),
      };
      // What the taker left of it passes before the next part comes.
      if ((await pass(bytes)) === false) throw cutShort();
    }
    await pass(reader.rest());
    if (seen.size === 0) throw malformed('holds no file');
    for (const path of annotations.keys())
      if (!seen.has(path)) throw malformed(`annotates "${path}", which is no file of this body`, 'annotations');
  } finally {
    await body.return();
  }
}

/** The body, before which a line ended: its first boundary is like all others. */
async function* after(first: Uint8Array, body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
  yield first;
  yield* body;
}

/** What follows a boundary: the line of another part, or the mark of the end. */
async function hasNextPart(reader: ByteReader): Promise<boolean> {
  const mark = (await reader.take(2)).toString('latin1');
  if (mark === '--') return false;
  const padding = mark === '\r\n' ? '' : await reader.takeUntil(lineEnd, 100);
  if (padding === undefined || !/^[ \t]*$/.test(mark.trimEnd() + padding.toString())) throw cutShort();
  return true;
}

async function readHead(reader: ByteReader, where: string): Promise<PartHead> {
  const lines: Uint8Array[] = [];
  let length = 0;
  for (;;) {
    const line = await reader.takeUntil(lineEnd, partHeadBytes - length);
    if (line === undefined || lines.length > headLines)
      throw new ArtifactstoreError('malformed_multipart', `The multipart body is cut short in the head of ${where}, or that is too long.`, {
        ...(reader.ended() ? {} : { info: { bound: 'part_head_bytes', limit: partHeadBytes } }),
      });
    if (line.length === 0) break;
    length += line.length;
    lines.push(line);
  }
  const head = parsePartHead(lines);
  if ('fault' in head) throw malformed(`has ${head.fault} in ${where}`, where);
  return head;
}

/** Bytes are kept as they come, so they must come as they are. */
function refuseCoding({ fields }: PartHead, where: string): void {
  for (const [field, plain] of [
    ['content-transfer-encoding', ['identity', 'binary', '7bit', '8bit']],
    ['content-encoding', ['identity']],
  ] as const) {
    const coding = fields.get(field)?.toLowerCase();
    if (coding !== undefined && !(plain as readonly string[]).includes(coding))
      throw new ArtifactstoreError(
        'unsupported_media_type',
        `The bytes of ${where} are coded (${field}: ${coding}); send them as they are.`,
        {
          field,
        },
      );
  }
}

function statedSize({ fields }: PartHead, where: string): { readonly size_bytes?: number } {
  const length = fields.get('content-length');
  if (length === undefined) return {};
  if (!/^\d{1,15}$/.test(length)) throw malformed(`has a Content-Length in ${where} that is no length`, where);
  return { size_bytes: Number(length) };
}

async function readField(
  bytes: AsyncGenerator<Uint8Array, boolean, undefined>,
  { fields }: PartHead,
  { jsonBytes: maximum }: Limits,
  memory: MemoryAccount,
): Promise<Uint8Array> {
  const type = fields.get('content-type') ?? 'text/plain';
  const end = type.indexOf(';');
  const charset = end < 0 ? 'utf-8' : (parseParameters(type.slice(end))?.get('charset') ?? 'utf-8').toLowerCase();
  if (charset !== 'utf-8' && charset !== 'us-ascii')
    throw new ArtifactstoreError('unsupported_media_type', `The annotations are JSON in UTF-8, not in ${charset}.`, {
      field: 'annotations',
    });
  await memory.take(memoryOfJson * maximum);
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of { [Symbol.asyncIterator]: () => untilCut(bytes, cutShort) }) {
    length += chunk.length;
    if (length > maximum)
      throw new ArtifactstoreError('body_too_large', `The annotations of a multipart body have up to ${maximum} bytes.`, {
        field: 'annotations',
        info: { bound: 'json_bytes', limit: maximum },
      });
    chunks.push(chunk);
  }
  memory.give(memoryOfJson * (maximum - length));
  return Buffer.concat(chunks);
}

function boundaryOf(contentType: string | undefined): string {
  const end = contentType?.indexOf(';') ?? -1;
  const boundary = end < 0 ? undefined : parseParameters(contentType!.slice(end))?.get('boundary');
  if (boundary === undefined || boundary === '' || boundary.length > 200)
    throw malformed('has no boundary in its content type', 'content-type');
  return boundary;
}

function readAnnotations(text: Uint8Array, where: string, limits: Limits): Annotations {
  const value = readJson(text, where, limits);
  if (!isJsonObject(value)) throw malformed('has "annotations" that are not a JSON object', 'annotations');
  return new Map(
    Object.entries(value).map(([path, map]) => {
      if (!isJsonObject(map)) throw malformed(`has annotations of "${path}" that are not a JSON object`, 'annotations');
      const strings = Object.entries(map).map(([key, item]): [string, string] => {
        if (typeof item !== 'string') throw malformed(`has an annotation "${key}" that is not a string`, 'annotations');
        return [key, item];
      });
      return [path, Object.fromEntries(strings)];
    }),
  );
}

function readJson(text: Uint8Array, where: string, { jsonValues: maximumValues }: Limits): JsonValue {
  try {
    return parseJson(text, { maximumValues });
  } catch (cause) {
    if (!isArtifactstoreError(cause)) throw cause;
    throw new ArtifactstoreError(cause.code, `The annotations (${where} of the body): ${cause.message}`, {
      field: 'annotations',
      ...(cause.info === undefined ? {} : { info: cause.info }),
      cause,
    });
  }
}

/** Files of one request are added in one step, for which all others wait. */
export function tooManyFiles({ filesPerRequest }: Limits): ArtifactstoreError {
  return new ArtifactstoreError(
    'too_many_files',
    `The request has more than ${filesPerRequest} files, which is as many as one may have here: none was added. Send them in several ` +
      'requests; to seal the package only when it holds all of them, finalize it with "files_digest".',
    { info: { bound: 'files_per_request', limit: filesPerRequest } },
  );
}

function cutShort(): ArtifactstoreError {
  return malformed('is cut short or not well formed');
}

function malformed(fault: string, field?: string): ArtifactstoreError {
  return new ArtifactstoreError('malformed_multipart', `The multipart body ${fault}.`, field === undefined ? {} : { field });
}

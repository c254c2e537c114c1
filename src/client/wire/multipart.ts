import { randomUUID } from 'node:crypto';
import { utf8 } from '../../kernel/content/digest.ts';
import { parseRelativePath } from '../../kernel/content/path.ts';
import type { NewFile } from '../../registry/REGISTRY.ts';
import { declaredBytes } from './declared-bytes.ts';
import type { RequestBody } from './transport.ts';

export interface Multipart {
  readonly contentType: string;
  readonly body: RequestBody;
}

/**
 * Files as multipart/form-data (RFC 7578): a text field `annotations` in front, a JSON object of those files that have
 * some, then one part a file, its path as the filename. What fits into `keptBytes` is put together in memory and can be
 * sent again; of more, the rest is streamed, once, and only the kept files can have annotations, since those must be
 * known before the first file.
 */
export async function encodeMultipart(files: AsyncIterable<NewFile>): Promise<Multipart> {
  const boundary = `artifactstore-${randomUUID()}`;
  const annotations: Record<string, Readonly<Record<string, string>>> = {};
  const kept: Uint8Array[] = [];
  let length = 0;
  const iterator = parts(files, boundary, (file) => {
    if (file.annotations !== undefined && Object.keys(file.annotations).length > 0) annotations[file.relative_path] = file.annotations;
  })[Symbol.asyncIterator]();

  let done = false;
  while (!done && length <= keptBytes) {
    const next = await iterator.next();
    if (next.done === true) done = true;
    else {
      kept.push(next.value);
      length += next.value.length;
    }
  }
  const head = Object.keys(annotations).length === 0 ? new Uint8Array(0) : utf8(annotationsPart(boundary, annotations));
  const contentType = `multipart/form-data; boundary=${boundary}`;
  if (done) return { contentType, body: Buffer.concat([head, ...kept]) };
  return { contentType, body: { reopenable: false, open: () => streamed([head, ...kept], iterator) } };
}

const keptBytes = 16_777_216;

async function* parts(files: AsyncIterable<NewFile>, boundary: string, onFile: (file: NewFile) => void): AsyncIterable<Uint8Array> {
  for await (const file of files) {
    parseRelativePath(file.relative_path, 'relative_path');
    onFile(file);
    yield utf8(filePart(boundary, file));
    for await (const chunk of declaredBytes(file)) yield new Uint8Array(chunk);
    yield lineEnd;
  }
  yield utf8(`--${boundary}--\r\n`);
}

const lineEnd = utf8('\r\n');

function filePart(boundary: string, { relative_path, media_type = 'application/octet-stream' }: NewFile): string {
  return `--${boundary}\r\nContent-Disposition: form-data; name="file"; filename="${quoted(relative_path)}"\r\nContent-Type: ${media_type}\r\n\r\n`;
}

function annotationsPart(boundary: string, annotations: Readonly<Record<string, unknown>>): string {
  return `--${boundary}\r\nContent-Disposition: form-data; name="annotations"\r\nContent-Type: application/json\r\n\r\n${JSON.stringify(annotations)}\r\n`;
}

/**
 * A quoted string (RFC 2183); a legal path has neither line ends nor backslashes, so the quote is all that needs an
 * escape.
 */
function quoted(path: string): string {
  return path.replaceAll('"', '\\"');
}

async function* streamed(kept: readonly Uint8Array[], iterator: AsyncIterator<Uint8Array>): AsyncIterable<Uint8Array> {
  try {
    yield* kept;
    for (;;) {
      const next = await iterator.next();
      if (next.done === true) return;
      yield next.value;
    }
  } finally {
    await iterator.return?.();
  }
}

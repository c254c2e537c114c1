import type { Readable } from 'node:stream';
import { Busboy, type BusboyFileStream } from '@fastify/busboy';
import type { FastifyRequest } from 'fastify';
import { ArtifactstoreError, isArtifactstoreError } from '../kernel/error.ts';
import { type JsonObject, type JsonValue, parseJson } from '../kernel/json.ts';
import { parseRelativePath } from '../kernel/path.ts';
import type { NewFile } from '../registry/REGISTRY.ts';
import { readBody } from './body.ts';
import type { Limits } from './limits.ts';

/** Parts that were parsed and not yet taken; with more the body is not read on. */
const maximumQueue = 32;

type Annotations = ReadonlyMap<string, Readonly<Record<string, string>>>;

/**
 * The files of a multipart/form-data body (RFC 7578), in order, each streamed as it arrives: a part's `filename`, whole, is its relative path. A
 * text field `annotations` before the files is a JSON object of relative path -> string map. The sequence fails, and so does the file being read,
 * when the body is cut short or is not what it says; it ends only after the closing boundary.
 */
export async function* readFiles(request: FastifyRequest, limits: Limits, signal: AbortSignal): AsyncGenerator<NewFile, void, undefined> {
  const queue: { readonly path: string; readonly mediaType: string; readonly stream: BusboyFileStream }[] = [];
  const seen = new Set<string>();
  let annotations: Annotations = new Map();
  let fileSeen = false;
  let ended = false;
  let failure: { readonly error: unknown } | undefined;
  let current: Readable | undefined;
  let wake = Promise.withResolvers<void>();
  const rouse = (): void => wake.resolve();
  const fail = (error: unknown): void => {
    failure ??= { error: isArtifactstoreError(error) ? error : malformed('is cut short or not well formed') };
    for (const { stream } of queue) stream.destroy();
    current?.destroy();
    rouse();
  };

  const parser = createParser(request, limits);
  parser.on('error', fail);
  parser.on('finish', () => {
    ended = true;
    rouse();
  });
  for (const event of ['partsLimit', 'filesLimit', 'fieldsLimit'] as const) parser.on(event, () => fail(malformed('has too many parts')));
  parser.on('field', (name, value, nameTruncated, valueTruncated) => {
    if (name !== 'annotations' || fileSeen || annotations.size > 0)
      return fail(malformed('has a text field other than one "annotations" before the files'));
    if (nameTruncated || valueTruncated) return fail(malformed('has a text field that is too long'));
    try {
      annotations = readAnnotations(value);
    } catch (error) {
      fail(error);
    }
  });
  parser.on('file', (_name, stream, filename, _encoding, mediaType) => {
    fileSeen = true;
    stream.on('error', fail);
    if (failure !== undefined) return void stream.resume();
    if (filename === undefined || filename === '') fail(malformed('has a file without a filename'));
    else if (seen.has(filename)) fail(malformed(`names the file "${filename}" twice`, filename));
    else {
      seen.add(filename);
      queue.push({ path: filename, mediaType, stream });
      rouse();
    }
  });

  const feeding = feed();
  try {
    for (;;) {
      if (failure !== undefined) throw failure.error;
      const part = queue.shift();
      if (part !== undefined) {
        rouseFeeder();
        current = part.stream;
        const ofPart = annotations.get(part.path);
        yield {
          relative_path: parseRelativePath(part.path, part.path),
          media_type: part.mediaType,
          body: readPart(part.stream, () => failure?.error),
          signal,
          ...(ofPart === undefined ? {} : { annotations: ofPart }),
        };
        // What the taker left of it must pass before the next part comes.
        if (!current.destroyed) current.resume();
        continue;
      }
      if (ended) break;
      await wake.promise;
      wake = Promise.withResolvers<void>();
    }
    for (const path of annotations.keys())
      if (!seen.has(path)) throw malformed(`annotates "${path}", which is no file of this body`, 'annotations');
  } finally {
    failure ??= { error: malformed('was given up') };
    current?.destroy();
    for (const { stream } of queue) stream.destroy();
    rouseFeeder();
    await feeding;
  }

  function rouseFeeder(): void {
    parser.emit('taken');
  }

  async function feed(): Promise<void> {
    try {
      for await (const chunk of readBody(request, limits)) {
        if (!parser.write(chunk)) await untilTaken(() => parser.writableNeedDrain);
        await untilTaken(() => queue.length > maximumQueue);
        if (failure !== undefined) return;
      }
      parser.end();
    } catch (error) {
      fail(error);
    }
  }

  /** Waits for the parser to drain or for a part to be taken, for as long as `blocked` says so and nothing went wrong. */
  async function untilTaken(blocked: () => boolean): Promise<void> {
    while (blocked() && failure === undefined) {
      const { promise, resolve } = Promise.withResolvers<void>();
      parser.once('drain', resolve).once('taken', resolve).once('error', resolve);
      await promise;
      parser.off('drain', resolve).off('taken', resolve).off('error', resolve);
    }
  }
}

function createParser(request: FastifyRequest, limits: Limits): InstanceType<typeof Busboy> {
  try {
    return new Busboy({
      headers: { ...request.raw.headers, 'content-type': request.raw.headers['content-type'] ?? '' },
      preservePath: true,
      isPartAFile: (_name, _mediaType, filename) => filename !== undefined,
      limits: { fieldNameSize: 100, fieldSize: limits.jsonBytes, fields: 1, parts: limits.parts, headerPairs: 20, headerSize: 8192 },
    });
  } catch {
    throw malformed('has no boundary in its content type', 'content-type');
  }
}

async function* readPart(stream: BusboyFileStream, failure: () => unknown): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    for await (const chunk of stream.iterator({ destroyOnReturn: false })) yield chunk as Uint8Array;
  } catch (error) {
    throw failure() ?? error;
  }
  const broken = failure();
  if (broken !== undefined) throw broken;
}

function readAnnotations(text: string): Annotations {
  const value = parseJson(Buffer.from(text));
  if (!isObject(value)) throw malformed('has "annotations" that are not a JSON object', 'annotations');
  return new Map(
    Object.entries(value).map(([path, map]) => {
      if (!isObject(map)) throw malformed(`has annotations of "${path}" that are not a JSON object`, 'annotations');
      const strings = Object.entries(map).map(([key, item]): [string, string] => {
        if (typeof item !== 'string') throw malformed(`has an annotation "${key}" that is not a string`, 'annotations');
        return [key, item];
      });
      return [path, Object.fromEntries(strings)];
    }),
  );
}

function malformed(fault: string, field?: string): ArtifactstoreError {
  return new ArtifactstoreError('malformed_multipart', `The multipart body ${fault}.`, field === undefined ? {} : { field });
}

function isObject(value: JsonValue): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

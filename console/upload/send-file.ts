import { call, callJson, jsonOf, segments } from '../api/call.ts';
import { Problem } from '../api/problem.ts';
import type { File as FileRecord, Upload } from '../api/records.ts';
import { formatCount } from '../format.ts';
import { session } from '../session.ts';
import { upload as text } from '../strings/upload.ts';
import { afterRefusal, firstPiece, nextPiece } from './after-refusal.ts';
import { begunOf, forgetBegun, rememberBegun } from './begun.ts';
import { UnreadableFile } from './hash.ts';
import { mediaTypeOf } from './media-type.ts';

export interface Sending {
  readonly packageId: string;
  readonly path: string;
  readonly file: File;
  /** Of the bytes as they were read here, in lowercase hex. */
  readonly sha256: string;
  readonly signal: AbortSignal;
  /** Bytes of it that the server has said it has. */
  onAcknowledged(bytes: number): void;
  /** The last piece is there, and the whole is being checked. */
  onWhole(): void;
  /** Resolves when the same may be asked again. Attempts are counted from the last one that came to something. */
  wait(attempt: number): Promise<void>;
  /** Resolves when somebody has signed in after that session (its epoch) was refused. */
  signIn(refused: number): Promise<void>;
}

export interface Sent {
  readonly record: FileRecord;
  /** The package had the same bytes there before. */
  readonly existed: boolean;
}

/** A file that is not longer is one request, which can be repeated as it is. */
const inOneRequest = 1_048_576;
/** So often is a server asked where an upload is before its answers are told to a person. */
const patientAsks = 5;

/**
 * Sends a file, by the draft of the IETF (docs/http.md): whatever breaks off is continued from where the server says
 * that it is. Errors: a `Problem` that would be the same again, `UnreadableFile`, the signal's reason.
 */
export async function sendFile(sending: Sending): Promise<Sent> {
  const { packageId, path, file, sha256, signal } = sending;
  // Most files are one request, and were never begun: nothing is kept of them.
  const known = file.size <= inOneRequest ? undefined : (await begunOf(packageId, actor())).find((each) => each.relative_path === path);
  const state: State = {
    upload: known?.sha256 === sha256 && known.size_bytes === file.size ? known.upload_id : undefined,
    offset: undefined,
    piece: firstPiece,
    attempts: 0,
    asked: false,
  };
  for (let asks = 0; ; ) {
    const { epoch } = session.peek();
    try {
      const sent = checked(sending, await step(sending, state));
      if (state.upload !== undefined || known !== undefined) await forgetBegun(packageId, path);
      return sent;
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof Problem)) throw error;
      state.offset = undefined;
      const next = afterRefusal(error);
      if (next === 'wait') await sending.wait(state.attempts++);
      else if (next === 'sign-in') await sending.signIn(epoch);
      else if (next === 'ask' && asks++ < patientAsks) continue;
      else if (next === 'begin' && asks++ < patientAsks) await begun(sending, state, undefined);
      else {
        if (error.code === 'digest_mismatch' || error.code === 'upload_length_mismatch') await giveUp(sending, state);
        throw error;
      }
      signal.throwIfAborted();
    }
  }
}

interface State {
  upload: string | undefined;
  /** Undefined where the server must be asked. */
  offset: number | undefined;
  piece: number;
  attempts: number;
  /** Whether the server was asked if it has the bytes already. */
  asked: boolean;
}

async function step(sending: Sending, state: State): Promise<Sent> {
  const { file, signal } = sending;
  // After it has failed twice, by the way on which a refusal comes before the bytes are sent.
  if (state.upload === undefined && file.size <= inOneRequest && state.attempts < 2) return await putWhole(sending);
  if (state.upload === undefined) {
    const there = state.asked ? undefined : await attach(sending);
    state.asked = true;
    if (there !== undefined) return there;
    await begin(sending, state);
  }
  const upload = `uploads/${segments(state.upload!)}`;
  if (state.offset === undefined) {
    const found = await callJson<Upload>(upload, { signal });
    if (found.size_bytes !== null && found.size_bytes !== file.size) {
      await begun(sending, state, undefined);
      return await step(sending, state);
    }
    state.offset = found.offset_bytes;
    sending.onAcknowledged(found.offset_bytes);
  }
  for (;;) {
    const from = state.offset;
    const end = Math.min(file.size, from + state.piece);
    const isLast = end === file.size;
    const body = await bytesOf(file, from, end);
    const since = performance.now();
    const answer = await call(upload, {
      method: 'PATCH',
      headers: {
        'content-type': 'application/partial-upload',
        'upload-offset': String(from),
        'upload-complete': isLast ? '?1' : '?0',
      },
      body,
      signal,
    });
    state.attempts = 0;
    state.piece = nextPiece(state.piece, performance.now() - since);
    if (isLast) return { record: await jsonOf<FileRecord>(answer), existed: answer.status === 200 };
    state.offset = Number(answer.headers.get('upload-offset') ?? end);
    sending.onAcknowledged(state.offset);
    if (state.offset + state.piece >= file.size) sending.onWhole();
  }
}

async function putWhole({ packageId, path, file, sha256, signal, onWhole }: Sending): Promise<Sent> {
  const body = await bytesOf(file, 0, file.size);
  onWhole();
  const answer = await call(filePath(packageId, path), {
    method: 'PUT',
    headers: { 'content-type': mediaTypeOf(path, file.type), 'repr-digest': reprDigest(sha256) },
    body,
    signal,
  });
  return { record: await jsonOf<FileRecord>(answer), existed: answer.status === 200 };
}

/** Where the registry has these bytes already, they become the file without being sent. */
async function attach({ packageId, path, file, sha256, signal }: Sending): Promise<Sent | undefined> {
  const item = {
    relative_path: path,
    content_address: `sha256:${sha256}`,
    size_bytes: file.size,
    media_type: mediaTypeOf(path, file.type),
  };
  const { items } = await callJson<{ readonly items: readonly Attached[] }>(`packages/${segments(packageId)}/files`, {
    method: 'POST',
    json: { items: [item] },
    signal,
  });
  const [found] = items;
  return found?.file === undefined || found.result === 'missing' ? undefined : { record: found.file, existed: found.result === 'exists' };
}

interface Attached {
  readonly result: 'created' | 'exists' | 'missing';
  readonly file?: FileRecord;
}

/** Without bytes: what the package, the path, the quota or the rights forbid is refused before anything is sent. */
async function begin(sending: Sending, state: State): Promise<void> {
  const { packageId, path, file, sha256, signal } = sending;
  const answer = await call(filePath(packageId, path), {
    method: 'PUT',
    headers: {
      'content-type': mediaTypeOf(path, file.type),
      'upload-complete': '?0',
      'upload-length': String(file.size),
      'repr-digest': reprDigest(sha256),
    },
    signal,
  });
  const id = answer.headers.get('location')?.split('/').at(-1);
  if (id === undefined) throw new Problem({ code: 'unexpected_answer', status: answer.status, title: '', detail: text.faults.noAddress });
  await begun(sending, state, id);
  state.offset = 0;
}

async function begun({ packageId, path, file, sha256 }: Sending, state: State, id: string | undefined): Promise<void> {
  state.upload = id;
  state.offset = undefined;
  if (id === undefined) await forgetBegun(packageId, path);
  else
    await rememberBegun({
      package_id: packageId,
      relative_path: path,
      size_bytes: file.size,
      sha256,
      upload_id: id,
      actor: actor(),
      begun_at: new Date().toISOString(),
    });
}

/** Its bytes are not those of the file: nothing can become of it. */
async function giveUp(sending: Sending, state: State): Promise<void> {
  const id = state.upload;
  await begun(sending, state, undefined);
  if (id !== undefined) await call(`uploads/${segments(id)}`, { method: 'DELETE' }).catch(() => undefined);
}

/** What the server says that it has stored is compared with what was read here, before anything is called stored. */
function checked({ path, packageId, file, sha256 }: Sending, sent: Sent): Sent {
  const { record } = sent;
  const fault =
    record.digest_sha256 !== sha256
      ? text.faults.otherDigest(String(record.digest_sha256), sha256)
      : record.size_bytes !== file.size
        ? text.faults.otherLength(formatCount(record.size_bytes), formatCount(file.size))
        : record.relative_path !== path || record.package_id !== packageId
          ? text.faults.otherPlace(String(record.relative_path))
          : undefined;
  if (fault !== undefined) throw new Problem({ code: 'stored_otherwise', status: 200, title: '', detail: fault });
  return sent;
}

/** Read before they are sent: that this computer cannot read a file any more is then not taken for a broken line. */
async function bytesOf(file: File, from: number, end: number): Promise<ArrayBuffer> {
  try {
    return await file.slice(from, end).arrayBuffer();
  } catch (error) {
    throw new UnreadableFile(error instanceof Error ? error.message : String(error));
  }
}

function filePath(packageId: string, path: string): string {
  return `packages/${segments(packageId)}/files/${segments(...path.split('/'))}`;
}

function reprDigest(sha256: string): string {
  const bytes = Uint8Array.from(sha256.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
  return `sha-256=:${btoa(String.fromCharCode(...bytes))}:`;
}

function actor(): string {
  return session.peek().who?.actor ?? '';
}

/**
 * What shows that keys of an S3 store can be used where they are meant to be, and nowhere else. Whoever proves keys
 * asks these questions, in whatever way it asks. A refusal is 401 or 403: what else comes back refuses nothing. One
 * that is about the keys themselves refuses nothing either: a part of the store may not know them yet.
 */

export interface ScopeQuestion {
  readonly method: 'GET' | 'HEAD' | 'PUT' | 'DELETE';
  /** Empty for the list of the account. */
  readonly bucket: string;
  readonly key?: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: string;
}

export interface ScopeReply {
  readonly status: number;
  readonly text: string;
  /** What the store calls the version that was written, where the bucket keeps versions. */
  readonly versionId?: string | undefined;
}

export type AskInScope = (question: ScopeQuestion) => Promise<ScopeReply>;

export interface ScopeFinding {
  /** `not_applicable`: there is nothing outside, as with another prefix of a whole bucket. */
  readonly result: 'holds' | 'fails' | 'unknown' | 'not_applicable';
  /** The status and code of the answer, or why there is none. */
  readonly told: string;
}

export interface ScopeObject {
  readonly bucket: string;
  readonly key: string;
  readonly body: string;
}

export interface UseFinding extends ScopeFinding {
  readonly what: 'write' | 'head' | 'read' | 'delete';
}

/**
 * Writes, heads, reads and deletes an object within the scope. Where the write is refused nothing else is asked. A
 * bucket that keeps versions still has what was written, and a mark that it is deleted: both are deleted by their
 * versions, asked for once (`askOnce`). Keys need no right to that, so what stays is told and proves nothing.
 */
export async function useWithin(
  ask: AskInScope,
  { bucket, key, body }: ScopeObject,
  askOnce: AskInScope = ask,
): Promise<readonly UseFinding[]> {
  const found: UseFinding[] = [];
  const step = async (what: UseFinding['what'], question: ScopeQuestion, isRight: (reply: ScopeReply) => boolean): Promise<ScopeReply> => {
    const reply = await ask(question);
    found.push({ what, result: isRight(reply) ? 'holds' : 'fails', told: told(reply) });
    return reply;
  };
  const written = await step('write', { method: 'PUT', bucket, key, body }, ({ status }) => status === 200);
  if (written.status !== 200) return found;
  try {
    await step('head', { method: 'HEAD', bucket, key }, ({ status }) => status === 200);
    await step('read', { method: 'GET', bucket, key }, ({ status, text }) => status === 200 && text === body);
  } finally {
    const mark = await step('delete', { method: 'DELETE', bucket, key }, isDeleted);
    const left = await removeVersions(askOnce, { bucket, key }, [written, mark]);
    const last = found.at(-1);
    if (last !== undefined && left !== undefined) found[found.length - 1] = { ...last, told: `${last.told}; ${left}` };
  }
  return found;
}

/** Why a version stays, where one does. */
async function removeVersions(
  ask: AskInScope,
  object: Pick<ScopeObject, 'bucket' | 'key'>,
  replies: readonly ScopeReply[],
): Promise<string | undefined> {
  let left: string | undefined;
  for (const { versionId } of replies) {
    if (versionId === undefined || versionId === 'null') continue;
    const gone = await ask({ method: 'DELETE', ...object, query: { versionId } }).catch(() => undefined);
    if (gone === undefined || !isDeleted(gone))
      left ??= `a version stays: ${object.bucket}/${object.key} (${gone === undefined ? 'no answer' : told(gone)})`;
  }
  return left;
}

function isDeleted({ status }: ScopeReply): boolean {
  return status === 204 || status === 200;
}

/** A write outside of the scope, which must be refused. Where it is not, what was written is deleted again. */
export async function tryWrite(ask: AskInScope, { bucket, key, body }: ScopeObject): Promise<ScopeFinding> {
  const reply = await ask({ method: 'PUT', bucket, key, body });
  if (reply.status !== 200) return refusal(reply);
  const query = reply.versionId === undefined ? {} : { query: { versionId: reply.versionId } };
  const gone = await ask({ method: 'DELETE', bucket, key, ...query });
  const end = isDeleted(gone) ? 'was deleted again' : `could not be deleted: ${bucket}/${key}`;
  return { result: 'fails', told: `${told(reply)}; what was written ${end} (${told(gone)})` };
}

/** A list of what is in a bucket outside of the scope, which must be refused. */
export async function tryList(ask: AskInScope, bucket: string): Promise<ScopeFinding> {
  const reply = await ask({ method: 'GET', bucket, query: { 'list-type': '2', 'max-keys': '1' } });
  return reply.status === 200 ? { result: 'fails', told: `${told(reply)}: what is in it is shown` } : refusal(reply);
}

/** A write beside the prefix, not below it: a rule that compares beginnings without the slash would let it in. */
export async function tryBesidePrefix(ask: AskInScope, prefix: string, { bucket, key, body }: ScopeObject): Promise<ScopeFinding> {
  if (prefix === '') return { result: 'not_applicable', told: 'the scope is the whole bucket' };
  return await tryWrite(ask, { bucket, key: `${prefix}-outside/${key}`, body });
}

/** The list of the account, which must be refused, or show nothing but what the keys are for. */
export async function tryAccount(ask: AskInScope, isWithin: (bucket: string) => boolean): Promise<ScopeFinding> {
  const reply = await ask({ method: 'GET', bucket: '' });
  if (reply.status !== 200) return refusal(reply);
  const names = [...reply.text.matchAll(/<Bucket>.*?<Name>([^<]*)<\/Name>/gs)].map(([, name = '']) => name);
  const others = names.filter((name) => !isWithin(name)).length;
  if (others > 0) return { result: 'fails', told: `${told(reply)}: it shows ${others} more` };
  return { result: 'holds', told: `${told(reply)}: nothing but ${names.length === 0 ? 'an empty list' : 'this bucket'}` };
}

export function isRefusal({ status }: Pick<ScopeReply, 'status'>): boolean {
  return status === 401 || status === 403;
}

/** A refusal of the keys themselves, wherever they are used: it says nothing of what they reach. */
export function isRefusalOfKeys(reply: ScopeReply): boolean {
  return isRefusal(reply) && ofKeys.has(codeOf(reply) ?? '');
}

const ofKeys: ReadonlySet<string> = new Set(['InvalidAccessKeyId', 'SignatureDoesNotMatch', 'InvalidToken', 'ExpiredToken']);

function refusal(reply: ScopeReply): ScopeFinding {
  if (isRefusalOfKeys(reply)) return { result: 'unknown', told: `${told(reply)}: that is about the keys, not about what they reach` };
  return isRefusal(reply) ? { result: 'holds', told: told(reply) } : { result: 'unknown', told: `${told(reply)}: that is no refusal` };
}

function told(reply: ScopeReply): string {
  const code = codeOf(reply);
  return code === undefined ? String(reply.status) : `${reply.status} ${code}`;
}

function codeOf({ text }: ScopeReply): string | undefined {
  return /<Code>([A-Za-z0-9]{1,64})<\/Code>/.exec(text)?.[1];
}

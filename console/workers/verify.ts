import { createBLAKE3, createSHA256, type IHasher } from 'hash-wasm';
import type { File } from '../api/records.ts';
import { isDamaged } from '../damaged.ts';
import type { Answer, Question, StepName } from './messages.ts';
import { compareBytes, compareLink, compareManifest, type Finding, type Link } from './proof.ts';

// A worker, so that the page stays at hand while gigabytes are hashed. It reads the bytes as any client does, and
// believes of the server nothing that it can compute.

const post = (answer: Answer): void => postMessage(answer);

addEventListener('message', ({ data }: MessageEvent<Question>) => void verify(data));

async function verify(question: Question): Promise<void> {
  const hashers = { sha256: await createSHA256(), blake3: await createBLAKE3() };
  const { file } = question;
  if (file !== undefined)
    await told(question, 'bytes', async () => ({
      finding: compareBytes(await hashBody(await ask(question, `files/${file.id}/download`), hashers), file),
    }));
  const digest = question.manifest_digest;
  if (digest === null) {
    const finding: Finding = { result: 'unknown', because: 'not_sealed' };
    post({ kind: 'finding', step: 'manifest', finding });
    post({ kind: 'finding', step: 'chain', finding });
  } else {
    await told(question, 'manifest', async () => {
      const answer = await ask(question, `packages/${question.package_id}/manifest`, 'application/cbor');
      const bytes = new Uint8Array(await answer.arrayBuffer());
      return compareManifest(bytes, { found: `blake3:${hashOf(hashers.blake3, bytes)}`, expected: digest }, file);
    });
    await told(question, 'chain', async () => {
      const query = { subject_kind: 'package', subject_id: question.package_id, event_type: 'v1.package.finalized', limit: '1' };
      const seal = await firstEvent(question, query);
      const before =
        seal === undefined || seal.sequence < 2 ? undefined : await firstEvent(question, { since: String(seal.sequence - 2), limit: '1' });
      return { finding: compareLink(seal, before, digest, (bytes) => hashOf(hashers.blake3, bytes)) };
    });
  }
  post({ kind: 'done' });
}

/** A refusal of the server, in its words. */
class Refused extends Error {
  override readonly name = 'Refused';
  readonly code: unknown;

  constructor(code: unknown, detail: string) {
    super(detail);
    this.code = code;
  }
}

/**
 * What could not be asked or read is unknown. Bytes that the registry itself has found wrong are not: it refuses them,
 * or breaks off where it finds it while it sends them, and then only its record says why.
 */
async function whyNot(question: Question, step: StepName, error: unknown): Promise<Finding> {
  const { file } = question;
  if (step === 'bytes' && file !== undefined) {
    const isGiven = error instanceof Refused ? error.code !== 'integrity_failure' : !(await isKnownDamaged(question, file.id));
    if (!isGiven) return { result: 'bad', because: 'not_given' };
  }
  return {
    result: 'unknown',
    because: 'not_reached',
    ...(error instanceof Refused && error.message !== '' ? { said: error.message } : {}),
  };
}

async function isKnownDamaged(question: Question, id: string): Promise<boolean> {
  try {
    const record = (await (await ask(question, `files/${id}`, 'application/json')).json()) as Pick<File, 'locations'>;
    return isDamaged(record);
  } catch {
    return false;
  }
}

async function told(
  question: Question,
  step: StepName,
  find: () => Promise<{ readonly finding: Finding; readonly provenance?: Readonly<Record<string, string>> }>,
): Promise<void> {
  try {
    post({ kind: 'finding', step, ...(await find()) });
  } catch (error) {
    post({ kind: 'finding', step, finding: await whyNot(question, step, error) });
  }
}

async function ask({ api, token }: Question, path: string, accept?: string): Promise<Response> {
  const response = await fetch(new URL(path, api), {
    headers: { ...(token === undefined ? {} : { authorization: `Bearer ${token}` }), ...(accept === undefined ? {} : { accept }) },
    credentials: token === undefined ? 'same-origin' : 'omit',
    // Nothing that was kept on the way: what the server has now is asked about.
    cache: 'no-store',
  });
  if (response.ok) return response;
  const problem = (await response.json().catch(() => ({}))) as { readonly code?: unknown; readonly detail?: string };
  throw new Refused(problem.code, problem.detail ?? '');
}

async function firstEvent(question: Question, query: Readonly<Record<string, string>>): Promise<Link | undefined> {
  const answer = await ask(question, `events?${new URLSearchParams(query)}`, 'application/json');
  const { items } = (await answer.json()) as { readonly items: readonly Link[] };
  return items[0];
}

async function hashBody(response: Response, { sha256, blake3 }: { readonly sha256: IHasher; readonly blake3: IHasher }) {
  sha256.init();
  blake3.init();
  let bytes = 0;
  let told = 0;
  const reader = response.body!.getReader();
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    sha256.update(part.value);
    blake3.update(part.value);
    bytes += part.value.length;
    if (performance.now() - told > 100) {
      told = performance.now();
      post({ kind: 'progress', bytes });
    }
  }
  return { size_bytes: bytes, sha256: sha256.digest('hex'), blake3: blake3.digest('hex') };
}

function hashOf(hasher: IHasher, bytes: Uint8Array): string {
  return hasher.init().update(bytes).digest('hex');
}

import { createBLAKE3, createSHA256, type IHasher } from 'hash-wasm';
import type { Answer, Question } from './messages.ts';
import { compareBytes, compareLink, compareManifest, type Finding, type Link } from './proof.ts';

// A worker, so that the page stays at hand while gigabytes are hashed. It reads the bytes as any client does, and
// believes of the server nothing that it can compute.

const post = (answer: Answer): void => postMessage(answer);

addEventListener('message', ({ data }: MessageEvent<Question>) => void verify(data));

async function verify(question: Question): Promise<void> {
  const hashers = { sha256: await createSHA256(), blake3: await createBLAKE3() };
  const { file } = question;
  if (file !== undefined)
    await told('bytes', async () => ({
      finding: compareBytes(await hashBody(await ask(question, `files/${file.id}/download`), hashers), file),
    }));
  const digest = question.manifest_digest;
  if (digest === null) {
    const finding: Finding = { result: 'unknown', because: 'not_sealed' };
    post({ kind: 'finding', step: 'manifest', finding });
    post({ kind: 'finding', step: 'chain', finding });
  } else {
    await told('manifest', async () => {
      const answer = await ask(question, `packages/${question.package_id}/manifest`, 'application/cbor');
      const bytes = new Uint8Array(await answer.arrayBuffer());
      return compareManifest(bytes, { found: `blake3:${hashOf(hashers.blake3, bytes)}`, expected: digest }, file);
    });
    await told('chain', async () => {
      const query = { subject_kind: 'package', subject_id: question.package_id, event_type: 'v1.package.finalized', limit: '1' };
      const seal = await firstEvent(question, query);
      const before =
        seal === undefined || seal.sequence < 2 ? undefined : await firstEvent(question, { since: String(seal.sequence - 2), limit: '1' });
      return { finding: compareLink(seal, before, digest, (bytes) => hashOf(hashers.blake3, bytes)) };
    });
  }
  post({ kind: 'done' });
}

/** What could not be asked or read is unknown. */
async function told(
  step: 'bytes' | 'manifest' | 'chain',
  find: () => Promise<{ readonly finding: Finding; readonly provenance?: Readonly<Record<string, string>> }>,
): Promise<void> {
  try {
    post({ kind: 'finding', step, ...(await find()) });
  } catch (error) {
    post({
      kind: 'finding',
      step,
      finding: { result: 'unknown', because: 'not_reached', found: error instanceof Error ? error.message : String(error) },
    });
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
  const problem = (await response.json().catch(() => ({}))) as { readonly detail?: string };
  throw new Error(problem.detail ?? `${response.status}`);
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

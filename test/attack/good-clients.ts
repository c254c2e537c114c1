import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { statedRefusals } from './attacker.ts';

export interface GoodClients {
  /** Works until it is told to stop; what must not happen is in `errors`. */
  run(signal: AbortSignal): Promise<void>;
  /**
   * Milliseconds of each act from its beginning to its good answer, waits for another try included. Taken out by
   * asking.
   */
  takeTimes(): readonly number[];
  /** How often a request had to be repeated, by why. */
  readonly repeated: Readonly<Record<string, number>>;
  readonly errors: readonly string[];
  readonly acknowledged: number;
  /** Reads every acknowledged file; rejects at the first that is not what was sent. */
  readBack(url: string): Promise<void>;
}

interface Kept {
  readonly path: string;
  readonly seed: string;
  readonly bytes: number;
}

interface Request {
  readonly method?: string;
  readonly body?: Uint8Array | string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly accept: readonly number[];
}

const clients = 6;
const filesOfPackage = 12;
const betweenMilliseconds = 25;
const longestMilliseconds = 60_000;
const json = { 'content-type': 'application/json' };
/** How a connection that the server has closed is told, by where the client is: reading, writing, or between both. */
const closings: ReadonlySet<unknown> = new Set(['ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET']);

/** What honest producers and readers do all day: each request can be repeated, and is when it was refused for now. */
export function createGoodClients(url: string, token: string, random: () => number): GoodClients {
  const kept: Kept[] = [];
  const repeated: Record<string, number> = {};
  const errors: string[] = [];
  let times: number[] = [];
  let last = 0;
  let made = 0;

  async function ask(at: string, path: string, { accept, headers, ...init }: Request, ends?: AbortSignal): Promise<Uint8Array | undefined> {
    const begun = performance.now();
    for (;;) {
      let why: string;
      let wait = 0;
      try {
        const all = { authorization: `Bearer ${token}`, ...headers };
        const body = (init.body ?? null) as string | null;
        const response = await fetch(`${at}${path}`, { ...init, body, headers: all, signal: AbortSignal.timeout(longestMilliseconds) });
        const bytes = await response.bytes();
        if (accept.includes(response.status)) {
          times.push(performance.now() - begun);
          return bytes;
        }
        const text = Buffer.from(bytes).toString().slice(0, 500);
        const code = /"code":"(\w+)"/.exec(text)?.[1];
        why = `${response.status} ${code}`;
        wait = Number(response.headers.get('retry-after')) * 1000;
        if (response.status !== 503 || wait === 0 || !statedRefusals.has(code)) throw new Error(`answered ${response.status} ${text}`);
      } catch (error) {
        const cause = (error as Error).cause as NodeJS.ErrnoException | undefined;
        if (!closings.has(cause?.code) && !ends?.aborted && wait === 0) {
          errors.push(`${init.method ?? 'GET'} ${path}: ${String(error)} ${String(cause ?? '')}`);
          return undefined;
        }
        // Connections that are not in use may be closed at any time.
        why = cause?.code ?? String(error);
      }
      if (ends?.aborted) return undefined;
      repeated[why] = (repeated[why] ?? 0) + 1;
      await sleep(wait, undefined, ends === undefined ? {} : { signal: ends }).catch(() => undefined);
    }
  }

  async function work(name: string, signal: AbortSignal): Promise<void> {
    const get = async (path: string): Promise<Uint8Array | undefined> => await ask(url, path, { accept: [200] }, signal);
    while (!signal.aborted) {
      const about = JSON.stringify({
        name: `${name}-${made++}`,
        producer: name,
        subject: 'good',
        retention_class: 'raw-evidence',
        metadata: { made },
      });
      const headers = { 'content-type': 'application/json', 'idempotency-key': `${name}-${made}` };
      const created = await ask(url, '/packages', { method: 'POST', body: about, headers, accept: [200, 201] }, signal);
      if (created === undefined) continue;
      const { id } = JSON.parse(Buffer.from(created).toString()) as { readonly id: string };
      for (let file = 0; file < filesOfPackage && !signal.aborted; file++) {
        const one = { path: `/packages/${id}/files/f${file}`, seed: `${id} ${file}`, bytes: lengthOf(random()) };
        const body = contentOf(one);
        if ((await ask(url, one.path, { method: 'PUT', body, accept: [200, 201] }, signal)) !== undefined) kept.push(one);
        await sleep(betweenMilliseconds);
        const any = kept[Math.floor(random() * kept.length)];
        if (any !== undefined) {
          const read = await get(any.path);
          if (read !== undefined && !contentOf(any).equals(read)) errors.push(`${any.path} was read as other bytes`);
        }
        await sleep(betweenMilliseconds);
      }
      const resumed = { path: `/packages/${id}/files/resumed`, seed: `${id} resumed`, bytes: 200_000 };
      if (await upload(id, resumed, signal)) kept.push(resumed);
      await get(`/packages?producer=${name}&limit=20`);
      await get(`/packages/${id}/files`);
      const page = await ask(url, `/events?since=${last}&limit=100`, { headers: { accept: 'application/json' }, accept: [200] }, signal);
      if (page !== undefined) last = (JSON.parse(Buffer.from(page).toString()) as { readonly last_sequence: number }).last_sequence;
      await ask(url, `/packages/${id}/finalize`, { method: 'POST', accept: [200] }, signal);
      await get(`/packages/${id}/manifest`);
      const named = { method: 'POST', body: '{"relative_paths":["f0"]}', headers: json, accept: [200] };
      const archive = await ask(url, `/packages/${id}/archive`, named, signal);
      const first = kept.find(({ path }) => path === `/packages/${id}/files/f0`);
      if (archive !== undefined && first !== undefined && !Buffer.from(archive).includes(contentOf(first)))
        errors.push(`the archive of ${id} has other bytes`);
    }
  }

  /** A file in two requests of an upload, each repeated from where the server is. */
  async function upload(package_id: string, one: Kept, signal: AbortSignal): Promise<boolean> {
    const bytes = contentOf(one);
    const about = JSON.stringify({ expected_size_bytes: bytes.length });
    const begun = await ask(url, '/uploads', { method: 'POST', body: about, headers: json, accept: [201] }, signal);
    if (begun === undefined) return false;
    const path = `/uploads/${(JSON.parse(Buffer.from(begun).toString()) as { readonly id: string }).id}`;
    for (let offset = 0; offset < bytes.length; ) {
      const end = Math.min(bytes.length, offset + 120_000);
      const headers = { 'content-range': `bytes ${offset}-${end - 1}/${bytes.length}` };
      // 409: it came although its answer did not.
      if ((await ask(url, path, { method: 'PUT', body: bytes.subarray(offset, end), headers, accept: [200, 409] }, signal)) === undefined)
        return false;
      const where = await ask(url, path, { accept: [200] }, signal);
      if (where === undefined) return false;
      const { offset_bytes } = JSON.parse(Buffer.from(where).toString()) as { readonly offset_bytes: number };
      if (offset_bytes < offset) errors.push(`${path} was at ${offset}, and is at ${offset_bytes}`);
      offset = offset_bytes;
    }
    const named = JSON.stringify({ package_id, relative_path: 'resumed' });
    return (await ask(url, `${path}/complete`, { method: 'POST', body: named, headers: json, accept: [200, 201] }, signal)) !== undefined;
  }

  return {
    repeated,
    errors,
    get acknowledged() {
      return kept.length;
    },
    takeTimes() {
      const taken = times;
      times = [];
      return taken;
    },
    async run(signal) {
      await Promise.all(Array.from({ length: clients }, (_, index) => work(`good-${index}`, signal)));
    },
    async readBack(at) {
      let next = 0;
      const read = async (): Promise<void> => {
        for (let one = kept[next++]; one !== undefined; one = kept[next++]) {
          const bytes = await ask(at, one.path, { accept: [200] });
          assert.ok(bytes !== undefined && contentOf(one).equals(bytes), `${one.path} is not what was acknowledged`);
        }
      };
      await Promise.all(Array.from({ length: 8 }, read));
    },
  };
}

/** Mostly small, one in fifty of two megabytes. */
function lengthOf(chance: number): number {
  return chance < 0.02 ? 2_000_000 : 1 + Math.floor(chance * 60_000);
}

function contentOf({ seed, bytes }: Kept): Buffer {
  return Buffer.alloc(bytes, hash('sha512', seed, 'buffer'));
}

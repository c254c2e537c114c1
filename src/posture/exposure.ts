import { type ConnectionFault, connectionCode, connectionFault } from '../runtime/connection-fault.ts';
import type { HttpAnswer } from '../runtime/http-client.ts';

/** What a proxy does with one host that it must not know. */
export interface Exposure {
  readonly host: string;
  readonly answer: 'not_routed' | 'routed' | 'cannot_be_known';
  /** A sentence: by what that is told. */
  readonly reason: string;
}

export interface ExposureQuestion {
  readonly hosts: readonly string[];
  /** Two hosts that nobody has a route for, such as random letters. */
  readonly unknownHosts: readonly [first: string, second: string];
  /** Sends `GET path` to the proxy with this `Host`. */
  ask(host: string, path: string): Promise<HttpAnswer>;
}

/** Beginnings that the services of such a stack answer, so that a route for a path alone is seen too. */
const paths = ['/', '/health', '/minio/health/live', '/cosmo'];

/**
 * Whether a proxy leads to any of these hosts: its answer is compared with the one to a host that nobody knows. A proxy
 * that answers everybody alike and not with 404, or that does not answer, says nothing. A second host that nobody knows
 * tells what differs from request to request, such as an id, from what differs by host.
 */
export async function checkExposure({ hosts, unknownHosts, ask }: ExposureQuestion): Promise<readonly Exposure[]> {
  const look = async (host: string, path: string): Promise<Seen> => {
    try {
      return seenOf(await ask(host, path), host);
    } catch (error) {
      const code = connectionCode(error);
      if (code === undefined) throw error;
      return { fault: connectionFault(code)?.text ?? `the connection failed (${code})` };
    }
  };
  const controls = new Map<string, Seen>();
  for (const path of paths) {
    controls.set(path, await look(unknownHosts[0], path));
    // A proxy that is not there is not asked for every path and host.
    if ('fault' in controls.get('/')!) break;
  }
  const secondControls = new Map<string, Seen>();
  const secondControl = async (path: string): Promise<Seen> => {
    const second = secondControls.get(path) ?? (await look(unknownHosts[1], path));
    secondControls.set(path, second);
    return second;
  };
  const found: Exposure[] = [];
  for (const host of hosts) {
    const answers: Exposure[] = [];
    for (const [path, control] of controls) {
      const seen = 'fault' in control ? control : await look(host, path);
      answers.push({ host, ...(await judge(path, seen, control, secondControl)) });
    }
    found.push(answers.find(({ answer }) => answer === 'routed') ?? answers.find(({ answer }) => answer !== 'not_routed') ?? answers[0]!);
  }
  return found;
}

type Seen = { readonly fault: ConnectionFault['text'] } | SeenAnswer;

interface SeenAnswer {
  readonly status: number;
  /** The status and the headers that tell one service from another. */
  readonly kind: string;
  /** The words of where it leads to and of its page, whatever host was asked for. */
  readonly words: readonly string[];
  /** The server of a store or of Cosmo, where the answer names one. */
  readonly service: string | undefined;
  readonly redirect: string | undefined;
}

type Judgement = Omit<Exposure, 'host'>;

async function judge(path: string, seen: Seen, control: Seen, secondControl: (path: string) => Promise<Seen>): Promise<Judgement> {
  const at = `GET ${path}`;
  if ('fault' in seen || 'fault' in control) {
    const fault = 'fault' in seen ? seen.fault : 'fault' in control ? control.fault : '';
    if ('fault' in seen && !('fault' in control))
      return { answer: 'cannot_be_known', reason: `${at}: ${fault}, and other hosts get an answer` };
    return { answer: 'cannot_be_known', reason: `${at}: ${fault}` };
  }
  if (seen.service !== undefined) return { answer: 'routed', reason: `${at} is answered by ${seen.service}, with ${seen.status}` };
  if (!isAlike(seen, control)) {
    const difference = differenceOf(at, seen, control, await secondControl(path));
    if (difference !== undefined) return difference;
  }
  if (seen.status === 404 || seen.status === 421)
    return { answer: 'not_routed', reason: `${at} is answered with ${seen.status}, as for a host that nobody knows` };
  if (seen.redirect !== undefined)
    return { answer: 'cannot_be_known', reason: `${at}: every host is sent to ${seen.redirect}; give that address of the proxy` };
  return { answer: 'cannot_be_known', reason: `${at}: every host is answered with ${seen.status}, so something takes them all` };
}

const isAlike = (one: SeenAnswer, other: SeenAnswer): boolean =>
  one.kind === other.kind && one.words.length === other.words.length && one.words.every((word, index) => word === other.words[index]);

/** What an answer that is not the first control's says; nothing where it differs only as both controls do. */
function differenceOf(at: string, seen: SeenAnswer, control: SeenAnswer, second: Seen): Judgement | undefined {
  if ('fault' in second) return { answer: 'cannot_be_known', reason: `${at}: ${second.fault}, for a second host that nobody knows` };
  if (seen.kind !== control.kind && seen.kind !== second.kind) {
    const same = seen.status === control.status;
    return same
      ? { answer: 'routed', reason: `${at} is answered with ${seen.status}, as for a host that nobody knows, but with other headers` }
      : { answer: 'routed', reason: `${at} is answered with ${seen.status}, and with ${control.status} for a host that nobody knows` };
  }
  if (control.kind !== second.kind || control.words.length !== second.words.length)
    return { answer: 'cannot_be_known', reason: `${at}: two hosts that nobody knows get answers that differ, so nothing can be compared` };
  const isFixed = (word: string, index: number) => word === second.words[index];
  if (
    seen.words.length === control.words.length &&
    control.words.every((word, index) => !isFixed(word, index) || word === seen.words[index])
  )
    return undefined;
  return { answer: 'routed', reason: `${at} is answered with ${seen.status}, as for a host that nobody knows, but with another page` };
}

/** How those who speak S3, and what a platform consists of, can be known. */
const services: readonly (readonly [pattern: RegExp, name: string])[] = [
  [/minio/i, 'MinIO'],
  [/seaweedfs/i, 'SeaweedFS'],
  [/clickhouse/i, 'ClickHouse'],
  [/keycloak/i, 'Keycloak'],
  [/wundergraph|cosmo studio/i, 'Cosmo'],
];

function seenOf({ status, header, bytes }: HttpAnswer, host: string): SeenAnswer {
  const body = Buffer.from(bytes).toString('latin1').replaceAll(host, '{host}');
  const named = services.find(([pattern]) => pattern.test(`${header('server') ?? ''} ${header('x-powered-by') ?? ''} ${body}`))?.[1];
  const isStore = header('x-amz-request-id') !== undefined || /<Error>\s*<Code>\w+<\/Code>/.test(body);
  const location = header('location');
  const page = `${location?.replaceAll(host, '{host}') ?? ''} ${body}`;
  return {
    status,
    kind: `${status} ${header('content-type') ?? ''} ${header('server') ?? ''} ${header('www-authenticate') ?? ''}`,
    // Other digits in the same page are times and numbers of requests.
    words: page.replaceAll(/[0-9a-f]{8,}|\d+/gi, '#').split(/[\s<>()[\]{}"'`?&=,:;]+/),
    service: named ?? (isStore ? 'a store that speaks S3' : undefined),
    redirect: status >= 300 && status < 400 ? location?.replace(host, '…') : undefined,
  };
}

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
  /** A host that nobody has a route for, such as random letters. */
  readonly unknownHost: string;
  /** Sends `GET path` to the proxy with this `Host`. */
  ask(host: string, path: string): Promise<HttpAnswer>;
}

/** Beginnings that the services of such a stack answer, so that a route for a path alone is seen too. */
const paths = ['/', '/health', '/minio/health/live', '/cosmo'];

/**
 * Whether a proxy leads to any of these hosts: its answer is compared with the one to a host that nobody knows. A proxy
 * that answers everybody alike and not with 404, or that does not answer, says nothing.
 */
export async function checkExposure({ hosts, unknownHost, ask }: ExposureQuestion): Promise<readonly Exposure[]> {
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
    controls.set(path, await look(unknownHost, path));
    // A proxy that is not there is not asked for every path and host.
    if ('fault' in controls.get('/')!) break;
  }
  const found: Exposure[] = [];
  for (const host of hosts) {
    const answers: Exposure[] = [];
    for (const [path, control] of controls)
      answers.push({ host, ...judge(path, 'fault' in control ? control : await look(host, path), control) });
    found.push(answers.find(({ answer }) => answer === 'routed') ?? answers.find(({ answer }) => answer !== 'not_routed') ?? answers[0]!);
  }
  return found;
}

type Seen = { readonly fault: ConnectionFault['text'] } | SeenAnswer;

interface SeenAnswer {
  readonly status: number;
  /** What tells one answer from another, whatever host was asked for. */
  readonly print: string;
  /** The server of a store or of Cosmo, where the answer names one. */
  readonly service: string | undefined;
  readonly redirect: string | undefined;
}

function judge(path: string, seen: Seen, control: Seen): Omit<Exposure, 'host'> {
  const at = `GET ${path}`;
  if ('fault' in seen || 'fault' in control) {
    const fault = 'fault' in seen ? seen.fault : 'fault' in control ? control.fault : '';
    if ('fault' in seen && !('fault' in control))
      return { answer: 'cannot_be_known', reason: `${at}: ${fault}, and other hosts get an answer` };
    return { answer: 'cannot_be_known', reason: `${at}: ${fault}` };
  }
  if (seen.service !== undefined) return { answer: 'routed', reason: `${at} is answered by ${seen.service}, with ${seen.status}` };
  if (seen.print !== control.print)
    return { answer: 'routed', reason: `${at} is answered with ${seen.status}, and with ${control.status} for a host that nobody knows` };
  if (seen.status === 404 || seen.status === 421)
    return { answer: 'not_routed', reason: `${at} is answered with ${seen.status}, as for a host that nobody knows` };
  if (seen.redirect !== undefined)
    return { answer: 'cannot_be_known', reason: `${at}: every host is sent to ${seen.redirect}; give that address of the proxy` };
  return { answer: 'cannot_be_known', reason: `${at}: every host is answered with ${seen.status}, so something takes them all` };
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
  const kind = `${status} ${header('content-type') ?? ''} ${header('server') ?? ''} ${header('www-authenticate') ?? ''}`;
  return {
    status,
    // Other digits in the same page are times and numbers of requests.
    print: `${kind} ${location?.replaceAll(host, '{host}') ?? ''} ${body.replaceAll(/[0-9a-f]{8,}|\d+/gi, '#')}`,
    service: named ?? (isStore ? 'a store that speaks S3' : undefined),
    redirect: status >= 300 && status < 400 ? location?.replace(host, '…') : undefined,
  };
}

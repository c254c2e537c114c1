import { strings } from '../strings.ts';

/** Why a call has no answer: a problem document of the server (RFC 9457), or that it could not be asked. */
export class Problem extends Error {
  /** The server's, or `unreachable`, or `unexpected_answer` where something else than the server has answered. */
  readonly code: string;
  /** 0 where there was no answer. */
  readonly status: number;
  readonly title: string;
  readonly field: string | undefined;
  readonly requestId: string | undefined;
  readonly info: Readonly<Record<string, unknown>>;

  constructor(parts: { code: string; status: number; title: string; detail: string; field?: string; requestId?: string; info?: object }) {
    super(parts.detail);
    this.name = 'Problem';
    this.code = parts.code;
    this.status = parts.status;
    this.title = parts.title;
    this.field = parts.field;
    this.requestId = parts.requestId;
    this.info = { ...parts.info };
  }
}

export function unreachable(): Problem {
  return new Problem({
    code: 'unreachable',
    status: 0,
    title: strings.states.unreachable.title,
    detail: strings.states.unreachable.detail,
  });
}

/** An answer that began, and stopped before its end: what it was to say is not known. */
export function brokenOff(): Problem {
  return new Problem({
    code: 'broken_off',
    status: 0,
    title: strings.states.brokenOff.title,
    detail: strings.states.brokenOff.detail,
  });
}

/** The session that a page had is somebody else's by now. */
export function otherPerson(): Problem {
  const { title, otherDetail: detail } = strings.signIn;
  return new Problem({ code: 'unauthorized', status: 401, title, detail });
}

/** Reads the body of a refusal; whatever stands between may have answered instead of the server. */
export async function problemOf(response: Response): Promise<Problem> {
  const body = response.headers.get('content-type')?.startsWith('application/problem+json')
    ? ((await response.json().catch(() => undefined)) as Readonly<Record<string, unknown>> | undefined)
    : undefined;
  const requestId = response.headers.get('x-request-id');
  if (body === undefined || typeof body.code !== 'string')
    return new Problem({
      code: 'unexpected_answer',
      status: response.status,
      title: strings.states.unexpected.title,
      detail: strings.states.unexpected.detail(response.status),
      ...(requestId === null ? {} : { requestId }),
    });
  return new Problem({
    code: body.code,
    status: response.status,
    title: String(body.title ?? ''),
    detail: String(body.detail ?? ''),
    ...(typeof body.field === 'string' ? { field: body.field } : {}),
    ...(requestId === null ? {} : { requestId }),
    ...(typeof body.info === 'object' && body.info !== null ? { info: body.info } : {}),
  });
}

import type { ComponentChildren } from 'preact';
import type { Problem } from '../api/problem.ts';
import type { Resource } from '../api/resource.ts';
import { connected } from '../connection.ts';
import { session } from '../session.ts';
import { strings } from '../strings.ts';
import { Icon, type IconName } from './icon.tsx';

/** What is shown of a call: that it is under way, why it has no answer, or its answer. */
export function Loaded<T>({
  of,
  rows = 3,
  children,
}: {
  readonly of: Resource<T>;
  readonly rows?: number;
  readonly children: (value: T) => ComponentChildren;
}) {
  if (of.value !== undefined) return <>{children(of.value)}</>;
  if (of.problem !== undefined) return <Failure problem={of.problem} retry={of.reload} />;
  return <Loading rows={rows} />;
}

/** Grey lines where the answer will be; only for what takes longer than a blink. */
export function Loading({ rows = 3 }: { readonly rows?: number }) {
  return (
    <div class="loading" role="status" aria-label={strings.states.loading}>
      {Array.from({ length: rows }, (_, index) => (
        <span key={index} class="loading-line" />
      ))}
    </div>
  );
}

export function Empty({
  title,
  children,
  icon = 'box',
  isHeading = false,
}: {
  readonly title: string;
  /** Where it stands for the sections of a page. */
  readonly isHeading?: boolean;
  readonly children?: ComponentChildren;
  readonly icon?: IconName;
}) {
  return (
    <div class="state">
      <Icon name={icon} />
      {isHeading ? <h2 class="state-title">{title}</h2> : <p class="state-title">{title}</p>}
      {children === undefined ? null : <div class="state-detail">{children}</div>}
    </div>
  );
}

/** A refusal, in words for the person: what it is about, what to do, and what to tell whoever runs the server. */
export function Failure({ problem, retry }: { readonly problem: Problem; readonly retry?: () => void }) {
  if (problem.status === 401) return <Empty title={strings.signIn.title} icon="person" />;
  if (problem.status === 404) return <Empty title={strings.states.notFound.title}>{strings.states.notFound.detail}</Empty>;
  // The line above the page says it for all of its parts, and they are loaded when the server is back.
  if (problem.code === 'unreachable' && !connected.value) return <p class="quiet">{strings.states.unreachable.part}</p>;
  const forbidden = problem.code === 'forbidden';
  const icon: IconName = forbidden ? 'forbidden' : problem.code === 'unreachable' ? 'lost' : 'warning';
  const hint = typeof problem.info.hint === 'string' ? problem.info.hint : undefined;
  return (
    <div class={`state ${forbidden ? '' : 'state-bad'}`} role="alert">
      <Icon name={icon} />
      <p class="state-title">{forbidden ? strings.states.forbidden.title : problem.title || strings.states.failed}</p>
      <div class="state-detail">
        <p>{forbidden ? strings.states.forbidden.detail(session.value.who?.actor ?? '') : problem.message}</p>
        {hint === undefined || forbidden ? null : <p>{hint}</p>}
        {problem.requestId === undefined || forbidden ? null : (
          <p class="quiet">
            {strings.states.code} <code>{problem.code}</code> · {strings.states.requestId} <code>{problem.requestId}</code>
          </p>
        )}
      </div>
      {retry === undefined || forbidden ? null : (
        <button type="button" class="button" onClick={retry}>
          {strings.states.retry}
        </button>
      )}
    </div>
  );
}

import { useSignal } from '@preact/signals';
import { callJson, segments } from '../../api/call.ts';
import { Problem } from '../../api/problem.ts';
import type { RetentionRecord } from '../../api/records.ts';
import { formatDate, formatExact } from '../../format.ts';
import { acts as text } from '../../strings/acts.ts';
import { now } from '../clock.ts';
import { ActDialog, checkReason, ReasonField } from './act-dialog.tsx';
import type { ActProps } from './acting.tsx';
import { dayOf, endOfDay, laterBy } from './days.ts';

const steps: readonly (readonly [days: number, label: string])[] = [
  [30, text.extend.days(30)],
  [90, text.extend.days(90)],
  [365, text.extend.year],
];

/** To a time that is said, so that the same twice changes nothing more. */
export function Extend({ record, isHeld, told, close }: ActProps & { readonly isHeld: boolean }) {
  const present = Date.parse(record.expires_at ?? '');
  const from = Math.max(present, now.value);
  const day = useSignal('');
  const forever = useSignal(false);
  const reason = useSignal('');
  const path = `packages/${segments(record.id)}/retention/extensions`;
  const until = forever.value ? null : endOfDay(day.value);
  const isLater = until === null || (until !== undefined && Date.parse(until) > from);
  const extend = async (signal: AbortSignal): Promise<void> => {
    if (!isLater)
      throw new Problem({
        code: 'invalid_value',
        status: 422,
        title: '',
        detail: until === undefined ? text.extend.noDay : text.extend.notLater(formatExact(from)),
        field: '/new_expires_at',
      });
    checkReason(reason.value);
    const after = await callJson<RetentionRecord>(path, { method: 'POST', json: { new_expires_at: until, reason: reason.value }, signal });
    told({ text: after.expires_at === null ? text.extend.doneNever : text.extend.done(formatDate(Date.parse(after.expires_at))) });
  };
  return (
    <ActDialog
      title={text.extend.title}
      explain={[(isHeld ? text.extend.explainHeld : text.extend.explain)(formatDate(present))]}
      submit={text.extend.submit}
      running={text.extend.running}
      fields={['/reason', '/new_expires_at']}
      byHand={{
        command: ['retention', 'extend', record.id, '--until', until ?? 'never', '--reason', reason.value],
        request: { method: 'POST', path, body: { new_expires_at: until ?? null, reason: reason.value } },
      }}
      act={extend}
      close={close}
    >
      {(problemOf) => (
        <>
          <label class="field">
            <span>{text.extend.until}</span>
            <input
              type="date"
              autofocus
              value={day.value}
              min={dayOf(from)}
              disabled={forever.value}
              onInput={(event) => {
                day.value = event.currentTarget.value;
              }}
              aria-describedby="until-problem until-result"
              aria-invalid={problemOf('/new_expires_at') !== undefined}
            />
          </label>
          <div class="buttons">
            <span class="quiet">{text.extend.quick}</span>
            {steps.map(([days, label]) => (
              <button
                key={days}
                type="button"
                class="button button-quiet"
                disabled={forever.value}
                onClick={() => {
                  day.value = laterBy(from, days);
                }}
              >
                {label}
              </button>
            ))}
          </div>
          <label class="choice">
            <input
              type="checkbox"
              checked={forever.value}
              onChange={(event) => {
                forever.value = event.currentTarget.checked;
              }}
            />
            <span>{text.extend.never}</span>
          </label>
          <p id="until-result" class="quiet">
            {until === undefined || !isLater
              ? ''
              : until === null
                ? text.extend.resultNever
                : text.extend.result(formatExact(Date.parse(until)))}
          </p>
          <p id="until-problem" class="problem" role="alert">
            {problemOf('/new_expires_at')}
          </p>
          <ReasonField
            value={reason.value}
            input={(typed) => {
              reason.value = typed;
            }}
            problem={problemOf('/reason')}
            isFirst={false}
          />
        </>
      )}
    </ActDialog>
  );
}

import { useSignal } from '@preact/signals';
import { call, callJson, segments } from '../../api/call.ts';
import type { Hold } from '../../api/records.ts';
import { acts as text } from '../../strings/acts.ts';
import { now } from '../clock.ts';
import { ActDialog, ReasonField } from './act-dialog.tsx';
import type { ActProps } from './acting.tsx';

/** Of one hold; which one is asked where there are several. */
export function Release({ record, holds, chosen, told, close }: ActProps & { readonly holds: readonly Hold[]; readonly chosen: string }) {
  const id = useSignal(chosen);
  const reason = useSignal('');
  const hold = holds.find((each) => each.id === id.value);
  const path = `packages/${segments(record.id)}/retention/holds/${segments(id.value)}`;
  const release = async (signal: AbortSignal): Promise<void> => {
    await call(path, { method: 'DELETE', query: { reason: reason.value.trim() }, signal });
    told({
      text: text.release.done,
      ...(hold === undefined || record.status === 'abandoned'
        ? {}
        : {
            undo: {
              label: text.release.undo,
              async run() {
                await callJson(`packages/${segments(record.id)}/retention/holds`, { method: 'POST', json: { reason: hold.reason } });
                return { text: text.hold.done };
              },
            },
          }),
    });
  };
  const others = holds.length - 1;
  const expired = record.expires_at !== null && Date.parse(record.expires_at) <= now.value && record.status === 'finalized';
  const given = reason.value.trim();
  return (
    <ActDialog
      title={text.release.title}
      explain={[text.release.explain(Math.max(others, 0)), ...(others <= 0 && expired ? [text.release.expired] : [])]}
      submit={text.release.submit}
      running={text.release.running}
      fields={['reason', '/reason']}
      byHand={{
        command: ['retention', 'release', record.id, id.value, ...(given === '' ? [] : ['--reason', given])],
        request: { method: 'DELETE', path, ...(given === '' ? {} : { query: { reason: given } }) },
      }}
      act={release}
      close={close}
    >
      {(problemOf) => (
        <>
          <label class="field">
            <span>{text.release.which}</span>
            <select
              value={id.value}
              onChange={(event) => {
                id.value = event.currentTarget.value;
              }}
            >
              {holds.map((each) => (
                <option key={each.id} value={each.id}>
                  {each.reason} · {each.owner}
                </option>
              ))}
            </select>
          </label>
          <ReasonField
            value={reason.value}
            input={(typed) => {
              reason.value = typed;
            }}
            problem={problemOf('reason') ?? problemOf('/reason')}
            hint={text.release.reasonHint}
          />
        </>
      )}
    </ActDialog>
  );
}

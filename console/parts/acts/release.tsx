import { useSignal } from '@preact/signals';
import { call, callJson, segments } from '../../api/call.ts';
import type { Hold } from '../../api/records.ts';
import { acts as text } from '../../strings/acts.ts';
import { now } from '../clock.ts';
import { ActDialog, ReasonField } from './act-dialog.tsx';
import type { ActProps } from './acting.tsx';

/** Of one hold, which was chosen where it is shown. */
export function Release({ record, holds, hold, told, close }: ActProps & { readonly holds: readonly Hold[]; readonly hold: Hold }) {
  const { id } = hold;
  const reason = useSignal('');
  const path = `packages/${segments(record.id)}/retention/holds/${segments(id)}`;
  const release = async (signal: AbortSignal): Promise<void> => {
    await call(path, { method: 'DELETE', query: { reason: reason.value.trim() }, signal });
    told({
      text: text.release.done,
      ...(record.status === 'abandoned'
        ? {}
        : {
            undo: {
              label: text.release.undo,
              async run() {
                await callJson(`packages/${segments(record.id)}/retention/holds`, { method: 'POST', json: { reason: hold.reason } });
                return { text: text.hold.done(hold.reason) };
              },
            },
          }),
    });
  };
  const others = holds.filter((each) => each.id !== id).length;
  const expired = record.expires_at !== null && Date.parse(record.expires_at) <= now.value && record.status === 'finalized';
  const given = reason.value.trim();
  return (
    <ActDialog
      title={text.release.title}
      explain={[
        text.release.of(hold.reason, hold.owner),
        text.release.explain(others),
        ...(others === 0 && expired ? [text.release.expired] : []),
      ]}
      submit={text.release.submit}
      running={text.release.running}
      fields={['reason', '/reason']}
      byHand={{
        command: ['retention', 'release', record.id, id, ...(given === '' ? [] : ['--reason', given])],
        request: { method: 'DELETE', path, ...(given === '' ? {} : { query: { reason: given } }) },
      }}
      act={release}
      close={close}
    >
      {(problemOf) => (
        <ReasonField
          value={reason.value}
          input={(typed) => {
            reason.value = typed;
          }}
          problem={problemOf('reason') ?? problemOf('/reason')}
          hint={text.release.reasonHint}
        />
      )}
    </ActDialog>
  );
}

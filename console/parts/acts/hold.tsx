import { useSignal } from '@preact/signals';
import { call, callJson, segments } from '../../api/call.ts';
import type { Hold as HoldRecord } from '../../api/records.ts';
import { acts as text } from '../../strings/acts.ts';
import { ActDialog, checkReason, ReasonField } from './act-dialog.tsx';
import type { ActProps } from './acting.tsx';

export function Hold({ record, told, close }: ActProps) {
  const reason = useSignal('');
  const path = `packages/${segments(record.id)}/retention/holds`;
  const hold = async (signal: AbortSignal): Promise<void> => {
    checkReason(reason.value);
    const made = await callJson<HoldRecord>(path, { method: 'POST', json: { reason: reason.value }, signal });
    told({
      text: text.hold.done(made.reason),
      undo: {
        label: text.hold.undo,
        hold: made.id,
        async run() {
          await call(`${path}/${segments(made.id)}`, { method: 'DELETE', query: { reason: text.hold.undoReason } });
          return { text: text.hold.undone };
        },
      },
    });
  };
  return (
    <ActDialog
      title={text.hold.title}
      explain={[text.hold.explain, text.hold.canUndo]}
      submit={text.hold.submit}
      running={text.hold.running}
      fields={['/reason']}
      byHand={{
        command: ['retention', 'hold', record.id, '--reason', reason.value],
        request: { method: 'POST', path, body: { reason: reason.value } },
      }}
      act={hold}
      close={close}
    >
      {(problemOf) => (
        <ReasonField
          value={reason.value}
          input={(typed) => {
            reason.value = typed;
          }}
          problem={problemOf('/reason')}
        />
      )}
    </ActDialog>
  );
}

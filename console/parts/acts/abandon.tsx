import { call, segments } from '../../api/call.ts';
import { formatBytes, formatCount } from '../../format.ts';
import { acts as text } from '../../strings/acts.ts';
import { ActDialog } from './act-dialog.tsx';
import type { ActProps } from './acting.tsx';

export function Abandon({ record, told, close }: ActProps) {
  const path = `packages/${segments(record.id)}`;
  const count = record.file_count;
  return (
    <ActDialog
      title={text.abandon.title}
      explain={[
        count === 0
          ? text.abandon.empty
          : text.abandon.explain(
              count === 1 ? text.seal.oneFile : text.seal.manyFiles(formatCount(count)),
              formatBytes(record.total_bytes),
            ),
        text.noUndo,
      ]}
      submit={text.abandon.submit}
      running={text.abandon.running}
      final
      byHand={{ request: { method: 'DELETE', path } }}
      act={async (signal) => {
        await call(path, { method: 'DELETE', signal });
        told({ text: text.abandon.done });
      }}
      close={close}
    />
  );
}

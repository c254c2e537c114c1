import type { Package, RetentionRecord } from '../../api/records.ts';
import { may } from '../../session.ts';
import { acts as text } from '../../strings/acts.ts';
import { type Act, type Acting, holdsInForce } from './acting.tsx';
import { possibleActs } from './possible.ts';

const labels: Readonly<Record<Exclude<Act['kind'], 'release'>, string>> = {
  seal: text.seal.button,
  hold: text.hold.button,
  extend: text.extend.button,
  abandon: text.abandon.button,
};

/** Buttons beside the heading: those that the person may press, and that the state of the package leaves. */
export function PackageActs({
  record,
  retention,
  acting,
}: {
  readonly record: Package;
  readonly retention: RetentionRecord | undefined;
  readonly acting: Acting;
}) {
  const holds = holdsInForce(retention);
  const possible = possibleActs(record, retention === undefined ? undefined : holds.length, {
    write: may('write', record.producer),
    keep: may('keep', record.producer),
  });
  return (
    <>
      {possible.map((kind) => (
        <button
          key={kind}
          type="button"
          class={kind === 'seal' ? 'button button-main' : kind === 'abandon' ? 'button button-bad' : 'button'}
          onClick={() => {
            acting.act.value = { kind };
          }}
        >
          {labels[kind]}
        </button>
      ))}
    </>
  );
}

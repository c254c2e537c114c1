import { printable } from '../../src/kernel/format/printable.ts';
import { formatCount } from '../format.ts';
import { Icon } from '../parts/icon.tsx';
import { upload as text } from '../strings/upload.ts';
import type { Batch } from './batch.ts';
import { isStored } from './item.ts';

/** Somebody else has begun it, whose session has ended. Which files they are is not told. */
export function OfAnother({ batch, actor, takes }: { readonly batch: Batch; readonly actor: string; readonly takes: boolean }) {
  const me = printable(actor);
  const missing = batch.items.filter((item) => !isStored(item)).length;
  return (
    <div class="verdict verdict-plain" role="status">
      <Icon name="warning" />
      <div class="verdict-body">
        <p class="verdict-title">{text.another.title(printable(batch.owner.value), missing, formatCount(missing))}</p>
        <p>{text.another.detail(me)}</p>
        <div class="buttons">
          {takes ? (
            <button
              type="button"
              class="button"
              onClick={() => {
                batch.takeOver(actor);
                batch.resume();
              }}
            >
              {text.another.takeOver(me)}
            </button>
          ) : null}
          <button type="button" class="button button-main" onClick={batch.stop}>
            {text.another.drop}
          </button>
        </div>
      </div>
    </div>
  );
}

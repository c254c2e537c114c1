import { useSignal } from '@preact/signals';
import { strings } from '../strings.ts';
import { announce } from './announce.tsx';
import { Icon } from './icon.tsx';

/** Copies a text. `what` names it: “the command line”. */
export function Copy({ text, what }: { readonly text: string; readonly what: string }) {
  const state = useSignal<'idle' | 'copied'>('idle');
  const copy = async (): Promise<void> => {
    const done = await toClipboard(text);
    announce(done ? strings.copy.copied : strings.copy.failed);
    if (!done) return;
    state.value = 'copied';
    setTimeout(() => {
      state.value = 'idle';
    }, 1_600);
  };
  const copied = state.value === 'copied';
  return (
    <button type="button" class="copy" onClick={() => void copy()} aria-label={strings.copy.what(what)} title={strings.copy.what(what)}>
      <Icon name={copied ? 'done' : 'copy'} />
    </button>
  );
}

/** Without a secure context (HTTPS, or this machine) a page has no clipboard but by a selection. */
async function toClipboard(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const area = document.createElement('textarea');
    area.value = text;
    area.className = 'out-of-sight';
    document.body.append(area);
    area.select();
    const done = document.execCommand('copy');
    area.remove();
    return done;
  }
}

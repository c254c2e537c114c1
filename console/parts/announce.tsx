import { signal } from '@preact/signals';

const said = signal('');

/** Tells those who hear the page what has just happened. */
export function announce(text: string): void {
  said.value = '';
  setTimeout(() => {
    said.value = text;
  }, 50);
}

export function Announcements() {
  return (
    <div class="out-of-sight" role="status" aria-live="polite">
      {said.value}
    </div>
  );
}

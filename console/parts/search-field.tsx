import { useLayoutEffect, useRef } from 'preact/hooks';
import { navigate, place } from '../router.ts';
import { strings } from '../strings.ts';
import { Icon } from './icon.tsx';

/** Whether what is in the field was sent, and nobody has touched it since. */
let isSent = false;

/** Somebody who has begun a search while a page is on its way is not taken out of it. */
export function isSearching(): boolean {
  return !isSent && document.activeElement?.closest('search input') != null;
}

/** The search of every page. Its field stays the same one wherever it leads. */
export function SearchField() {
  const asked = place.value.path === 'search' ? (place.value.query.get('q') ?? '') : '';
  const field = useRef<HTMLInputElement>(null);
  /** What stood in it when nobody had typed. */
  const told = useRef('');
  const tell = (text: string): void => {
    told.current = text;
    if (field.current !== null) field.current.value = text;
  };
  useLayoutEffect(() => {
    const { current } = field;
    // What is typed meanwhile stays.
    if (document.activeElement !== current || current?.value === told.current) tell(asked);
  }, [asked]);
  const begin = (): void => {
    isSent = false;
  };
  return (
    <search>
      <form
        class="search"
        onSubmit={(event) => {
          event.preventDefault();
          const text = field.current?.value.trim() ?? '';
          if (text === '') return;
          isSent = true;
          tell(text);
          navigate(`search?${new URLSearchParams({ q: text })}`);
        }}
      >
        <Icon name="search" />
        <input
          ref={field}
          type="search"
          name="q"
          aria-label={strings.search.label}
          placeholder={strings.search.placeholder}
          autocomplete="off"
          spellcheck={false}
          maxLength={256}
          onFocus={begin}
          onInput={begin}
          onPointerDown={begin}
        />
        <button type="submit" class="out-of-sight">
          {strings.search.submit}
        </button>
      </form>
    </search>
  );
}

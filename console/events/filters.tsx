import { navigate } from '../router.ts';
import { events as text } from '../strings/events.ts';

export function Filters({ query }: { readonly query: URLSearchParams }) {
  const value = (name: string): string => query.get(name) ?? '';
  return (
    <form
      class="filters"
      aria-label={text.filters}
      onSubmit={(event) => {
        event.preventDefault();
        const given = [...new FormData(event.currentTarget)].map(([name, each]) => [name, String(each).trim()] as const);
        const wanted = new URLSearchParams(given.filter(([, each]) => each !== '').map(([name, each]) => [name, each]));
        navigate(wanted.size === 0 ? 'events' : `events?${wanted}`);
      }}
    >
      <Choice label={text.type} name="event_type" chosen={value('event_type')} any={text.anyType} choices={text.types} />
      <Choice label={text.kind} name="subject_kind" chosen={value('subject_kind')} any={text.anyKind} choices={text.kinds} />
      <label class="field">
        <span>{text.subject}</span>
        <input name="subject_id" defaultValue={value('subject_id')} maxLength={256} autocomplete="off" spellcheck={false} />
      </label>
      <label class="field">
        <span>{text.since}</span>
        <input
          name="since"
          defaultValue={value('since')}
          inputMode="numeric"
          pattern="[0-9]{1,15}"
          title={text.sinceWrong}
          autocomplete="off"
        />
      </label>
      <div class="buttons">
        <button type="submit" class="button">
          {text.apply}
        </button>
        {query.size === 0 ? null : (
          <a class="button button-quiet" href="events">
            {text.clear}
          </a>
        )}
      </div>
    </form>
  );
}

function Choice({
  label,
  name,
  chosen,
  any,
  choices,
}: {
  readonly label: string;
  readonly name: string;
  readonly chosen: string;
  readonly any: string;
  readonly choices: Readonly<Record<string, string>>;
}) {
  return (
    <label class="field">
      <span>{label}</span>
      <select name={name} onChange={(event) => event.currentTarget.form?.requestSubmit()}>
        <option value="">{any}</option>
        {Object.entries(choices).map(([value, shown]) => (
          <option key={value} value={value} selected={value === chosen}>
            {shown}
          </option>
        ))}
      </select>
    </label>
  );
}

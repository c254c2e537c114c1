import { callJson } from '../api/call.ts';
import { usePages } from '../api/pages.ts';
import type { Page as ListPage, Package, ProducerRecord, RetentionClassRecord } from '../api/records.ts';
import { useResource } from '../api/resource.ts';
import { ByHand } from '../parts/by-hand.tsx';
import { FoldedFilters } from '../parts/folded-filters.tsx';
import { Listed } from '../parts/more.tsx';
import { PackageTable } from '../parts/package-table.tsx';
import { Page } from '../parts/page.tsx';
import { Empty } from '../parts/states.tsx';
import { navigate, place } from '../router.ts';
import { maySomewhere } from '../session.ts';
import { newPackage } from '../strings/new-package.ts';
import { strings } from '../strings.ts';

/** The filters of the list, as the server has them. Times are days here. */
const filters = ['name', 'producer', 'subject', 'retention_class', 'status', 'created_after', 'created_before'] as const;
const pageSize = 100;

export default function Packages() {
  const { query } = place.value;
  const asked = askedFor(query);
  const key = JSON.stringify(asked);
  const pages = usePages<Package>(
    key,
    (cursor, signal) => callJson<ListPage<Package>>('packages', { query: { ...asked, limit: pageSize, cursor }, signal }),
    { kept: true },
  );
  const isFiltered = Object.keys(asked).length > 0;
  return (
    <Page
      title={strings.packages.title}
      beside={
        maySomewhere('write') ? (
          <a class="button" href="packages/new">
            {newPackage.button}
          </a>
        ) : null
      }
    >
      <FoldedFilters key={key} inForce={Object.keys(asked).length}>
        <Filters query={query} isFiltered={isFiltered} />
      </FoldedFilters>
      <Listed
        key={key}
        pages={pages}
        rows={12}
        empty={
          isFiltered ? (
            <Empty title={strings.packages.emptyTitle}>{strings.packages.emptyDetail}</Empty>
          ) : (
            <Empty title={strings.packages.emptyAllTitle}>{strings.packages.emptyAllDetail}</Empty>
          )
        }
      >
        {(packages) => <PackageTable packages={packages} label={strings.packages.tableLabel} />}
      </Listed>
      <ByHand command={['packages', 'list', ...Object.entries(asked).flatMap(asOption)]} request={{ path: 'packages', query: asked }} />
    </Page>
  );
}

function Filters({ query, isFiltered }: { readonly query: URLSearchParams; readonly isFiltered: boolean }) {
  const classes = useResource('retention-classes', (signal) =>
    callJson<{ readonly items: readonly RetentionClassRecord[] }>('retention-classes', { signal }),
  );
  const producers = useResource('producers', (signal) =>
    callJson<ListPage<ProducerRecord>>('producers', { query: { limit: 200 }, signal }),
  );
  const text = strings.packages;
  const value = (name: string): string => query.get(name) ?? '';
  return (
    <form
      class="filters"
      aria-label={text.filters}
      onSubmit={(event) => {
        event.preventDefault();
        const given = [...new FormData(event.currentTarget)].map(([name, each]) => [name, String(each).trim()] as const);
        const wanted = new URLSearchParams(given.filter(([, each]) => each !== '').map(([name, each]) => [name, each]));
        navigate(wanted.size === 0 ? 'packages' : `packages?${wanted}`);
      }}
    >
      <TextField label={text.name} name="name" defaultValue={value('name')} />
      <label class="field">
        <span>{text.producer}</span>
        <input type="text" list="producers" name="producer" defaultValue={value('producer')} autocomplete="off" maxLength={256} />
      </label>
      <datalist id="producers">
        {(producers.value?.items ?? []).map(({ producer }) => (
          <option key={producer} value={producer} />
        ))}
      </datalist>
      <TextField label={text.subject} name="subject" defaultValue={value('subject')} />
      <label class="field">
        <span>{text.status}</span>
        <select name="status" defaultValue={value('status')} onChange={(event) => event.currentTarget.form?.requestSubmit()}>
          <option value="">{text.anyStatus}</option>
          {Object.entries(strings.status).map(([status, name]) => (
            <option key={status} value={status} selected={status === value('status')}>
              {name}
            </option>
          ))}
        </select>
      </label>
      <label class="field">
        <span>{text.retentionClass}</span>
        <select
          name="retention_class"
          defaultValue={value('retention_class')}
          onChange={(event) => event.currentTarget.form?.requestSubmit()}
        >
          <option value="">{text.anyClass}</option>
          {(classes.value?.items ?? []).map(({ slug }) => (
            <option key={slug} value={slug} selected={slug === value('retention_class')}>
              {slug}
            </option>
          ))}
        </select>
      </label>
      <DayField label={text.createdAfter} name="created_after" defaultValue={value('created_after')} />
      <DayField label={text.createdBefore} name="created_before" defaultValue={value('created_before')} />
      <TextField
        label={text.metadata}
        name="metadata"
        defaultValue={value('metadata')}
        placeholder={text.metadataHint}
        pattern="[^=]+=.+"
        title={text.metadataWrong}
      />
      <div class="buttons">
        <button type="submit" class="button button-main">
          {text.apply}
        </button>
        {isFiltered ? (
          <a class="button" href="packages">
            {text.clear}
          </a>
        ) : null}
      </div>
    </form>
  );
}

function TextField({
  label,
  ...input
}: {
  readonly label: string;
  readonly name: string;
  readonly defaultValue: string;
  readonly placeholder?: string;
  readonly pattern?: string;
  readonly title?: string;
}) {
  return (
    <label class="field">
      <span>{label}</span>
      <input {...input} autocomplete="off" maxLength={256} />
    </label>
  );
}

function DayField({ label, ...input }: { readonly label: string; readonly name: string; readonly defaultValue: string }) {
  return (
    <label class="field">
      <span>{label}</span>
      <input type="date" {...input} />
    </label>
  );
}

/** The parameters of the list that an address of this page means. */
function askedFor(query: URLSearchParams): Record<string, string> {
  const asked: Record<string, string> = {};
  for (const name of filters) {
    const value = query.get(name);
    if (value !== null && value !== '') asked[name] = name.startsWith('created_') && !value.includes('T') ? `${value}T00:00:00Z` : value;
  }
  const [, key, value] = /^([^=]+)=(.+)$/s.exec(query.get('metadata') ?? '') ?? [];
  if (key !== undefined && value !== undefined) asked[`metadata.${key}`] = value;
  return asked;
}

function asOption([name, value]: readonly [string, string]): readonly string[] {
  return name.startsWith('metadata.')
    ? ['--metadata', `${name.slice('metadata.'.length)}=${value}`]
    : [`--${name.replaceAll('_', '-')}`, value];
}

import { useEffect } from 'preact/hooks';
import { printable } from '../../src/kernel/format/printable.ts';
import { addressesIn } from '../api/addresses.ts';
import { segments } from '../api/call.ts';
import { isId, lookUp } from '../api/look-up.ts';
import type { Page as ListPage, Package } from '../api/records.ts';
import { useResource } from '../api/resource.ts';
import { formatCount, shortAddress } from '../format.ts';
import { ByHand, type ByHandParts } from '../parts/by-hand.tsx';
import { FoundFiles } from '../parts/found-files.tsx';
import { PackageTable } from '../parts/package-table.tsx';
import { Page, Section } from '../parts/page.tsx';
import { Empty, Loaded } from '../parts/states.tsx';
import { navigate, place } from '../router.ts';
import { strings } from '../strings.ts';

const text = strings.search;

export default function Search() {
  const asked = place.value.query.get('q')?.trim() ?? '';
  return (
    <Page key={asked} title={text.title}>
      {asked === '' ? (
        <Empty title={text.nothingAsked} icon="search" />
      ) : (
        <>
          <Results asked={asked} />
          <ByHand {...byHandOf(asked)} />
        </>
      )}
    </Page>
  );
}

/** What was typed is looked for as each that it can be. */
function byHandOf(asked: string): ByHandParts & { readonly also: readonly ByHandParts[] } {
  const named = {
    what: text.byHand.named,
    command: ['packages', 'list', '--name', asked],
    request: { path: 'packages', query: { name: asked } },
  };
  const also = addressesIn(asked).flatMap((digest) => [
    { what: text.byHand.file(shortAddress(digest)), request: { path: 'files', query: { digest } } },
    // Nothing but BLAKE3 is the digest of a manifest.
    ...(digest.startsWith('blake3:')
      ? [
          {
            what: text.byHand.sealed,
            command: ['packages', 'list', '--manifest-digest', digest],
            request: { path: 'packages', query: { manifest_digest: digest } },
          },
        ]
      : []),
  ]);
  const [first = named, ...others] = [
    ...(isId(asked)
      ? [{ what: text.byHand.id, command: ['packages', 'show', asked], request: { path: `packages/${segments(asked)}` } }]
      : []),
    ...also,
    named,
  ];
  return { ...first, also: others };
}

function Results({ asked }: { readonly asked: string }) {
  const found = useResource(asked, (signal) => lookUp(asked, signal));
  const { value } = found;
  const lists = value === undefined ? [] : [value.files, value.sealed, value.named, value.ofProducer, value.aboutSubject];
  const isAlone = lists.every(({ items }) => items.length === 0);
  const at = isAlone ? value?.id?.at : undefined;
  useEffect(() => {
    if (at !== undefined) navigate(at, { replace: true });
  }, [at]);
  return (
    <Loaded of={found} rows={6}>
      {({ id, files, sealed, named, ofProducer, aboutSubject }) =>
        isAlone ? (
          id === undefined && (
            <Empty title={text.nothing(printable(asked))} icon="search" isHeading>
              <p>{text.nothingDetail}</p>
              <p>{text.notSearched}</p>
            </Empty>
          )
        ) : (
          <>
            {id === undefined ? null : (
              <Section title={text.withId}>
                <p>
                  <a href={id.at}>{printable(id.name)}</a>
                </p>
              </Section>
            )}
            {files.items.length === 0 ? null : (
              <Section title={text.files}>
                <FoundFiles files={files.items} />
                {files.next_cursor === null ? null : <p class="quiet">{text.filesMore(formatCount(files.items.length))}</p>}
              </Section>
            )}
            <Packages found={sealed} title={text.packagesSealedWith} />
            <Packages found={named} title={text.packagesNamed(printable(asked))} all={{ name: asked }} />
            <Packages found={ofProducer} title={text.packagesOf(printable(asked))} all={{ producer: asked }} />
            <Packages found={aboutSubject} title={text.packagesAbout(printable(asked))} all={{ subject: asked }} />
          </>
        )
      }
    </Loaded>
  );
}

/** The first of them; `all` is the filter of the list that has the others. */
function Packages({
  found: { items, next_cursor },
  title,
  all,
}: {
  readonly found: ListPage<Package>;
  readonly title: string;
  readonly all?: Readonly<Record<string, string>>;
}) {
  if (items.length === 0) return null;
  return (
    <Section title={title}>
      <PackageTable packages={items} label={title} />
      {next_cursor === null || all === undefined ? null : (
        <p>
          {text.firstOnes(formatCount(items.length))} <a href={`packages?${new URLSearchParams(all)}`}>{text.all(title)}</a>
        </p>
      )}
    </Section>
  );
}

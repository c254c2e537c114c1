import { useEffect } from 'preact/hooks';
import { lookUp } from '../api/look-up.ts';
import { useResource } from '../api/resource.ts';
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
    <Page title={text.title}>
      {asked === '' ? <Empty title={text.nothingAsked} icon="search" /> : <Results key={asked} asked={asked} />}
    </Page>
  );
}

function Results({ asked }: { readonly asked: string }) {
  const found = useResource(asked, (signal) => lookUp(asked, signal));
  const at = found.value?.at;
  useEffect(() => {
    if (at !== undefined) navigate(at, { replace: true });
  }, [at]);
  return (
    <Loaded of={found} rows={6}>
      {({ files, sealed, named, ofProducer, aboutSubject }) =>
        files.length + sealed.length + named.length + ofProducer.length + aboutSubject.length === 0 ? (
          at === undefined && (
            <Empty title={text.nothing(asked)} icon="search">
              <p>{text.nothingDetail}</p>
              <p>{text.notSearched}</p>
            </Empty>
          )
        ) : (
          <>
            {files.length === 0 ? null : (
              <Section title={text.files}>
                <FoundFiles files={files} />
              </Section>
            )}
            {sealed.length === 0 ? null : (
              <Section title={text.packagesSealedWith}>
                <PackageTable packages={sealed} label={text.packagesSealedWith} />
              </Section>
            )}
            {named.length === 0 ? null : (
              <Section title={text.packagesNamed(asked)}>
                <PackageTable packages={named} label={text.packagesNamed(asked)} />
              </Section>
            )}
            {ofProducer.length === 0 ? null : (
              <Section title={text.packagesOf(asked)}>
                <PackageTable packages={ofProducer} label={text.packagesOf(asked)} />
              </Section>
            )}
            {aboutSubject.length === 0 ? null : (
              <Section title={text.packagesAbout(asked)}>
                <PackageTable packages={aboutSubject} label={text.packagesAbout(asked)} />
              </Section>
            )}
          </>
        )
      }
    </Loaded>
  );
}

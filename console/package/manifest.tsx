import { segments } from '../api/call.ts';
import type { Package } from '../api/records.ts';
import { DownloadButton } from '../parts/download-button.tsx';
import { Facts, Section } from '../parts/page.tsx';
import { Address } from '../parts/values.tsx';
import { Verify } from '../parts/verify.tsx';
import { strings } from '../strings.ts';

const text = strings.package;

/** The manifest, which is the package's identity, and who sealed it. */
export function Manifest({ record, digest }: { readonly record: Package; readonly digest: string }) {
  const path = `packages/${segments(record.id)}/manifest`;
  return (
    <Section
      title={text.manifestTitle}
      beside={
        <div class="buttons">
          <DownloadButton path={`${path}.json`} name={`${record.id}.manifest.json`} label={text.manifestJson} />
          <DownloadButton path={path} name={`${record.id}.manifest.cbor`} label={text.manifestCbor} />
        </div>
      }
    >
      <Facts items={[[text.manifest, <Address key="d" text={digest} what={text.manifest} whole />]]} />
      <Verify packageId={record.id} manifestDigest={digest} />
    </Section>
  );
}

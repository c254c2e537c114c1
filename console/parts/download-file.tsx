import { callJson, segments } from '../api/call.ts';
import type { File } from '../api/records.ts';
import { isDamaged } from '../damaged.ts';
import { strings } from '../strings.ts';
import { DownloadButton } from './download-button.tsx';

/** Saves a file. Where its bytes turn out to be damaged or missing, that is said, and the page is told. */
export function DownloadFile({
  file: { id, relative_path: path },
  label = strings.file.download,
  onDamage,
}: {
  readonly file: File;
  readonly label?: string;
  readonly onDamage: () => void;
}) {
  const whyBroken = async (signal: AbortSignal): Promise<string | undefined> => {
    if (!isDamaged(await callJson<File>(`files/${segments(id)}`, { signal }))) return undefined;
    onDamage();
    return strings.download.damagedFile;
  };
  return (
    <DownloadButton
      path={`files/${segments(id)}/download`}
      name={path.slice(path.lastIndexOf('/') + 1)}
      label={label}
      whyBroken={whyBroken}
    />
  );
}

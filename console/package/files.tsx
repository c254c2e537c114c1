import { useSignal } from '@preact/signals';
import { useEffect, useMemo } from 'preact/hooks';
import { useAllFiles } from '../api/all-files.ts';
import type { Package } from '../api/records.ts';
import { formatCount } from '../format.ts';
import { FileTree } from '../parts/file-tree.tsx';
import { Section } from '../parts/page.tsx';
import { Empty, Failure, Loading } from '../parts/states.tsx';
import { navigate } from '../router.ts';
import { strings } from '../strings.ts';
import { damagedFiles, type ListedFile, matchingRows, rowsOf } from '../tree.ts';
import { type Damaged, fileAddress, namedFiles } from './damaged-files.tsx';

const text = strings.package;
/** A package with so few files shows all of them at once. */
const few = 200;

/** The files of a package, as a tree or as those whose path has a text. */
export function Files({
  record,
  onDamaged,
}: {
  readonly record: Package;
  /** Told as they are read which of them cannot be had. */
  readonly onDamaged: (found: Damaged | undefined) => void;
}) {
  const files = useAllFiles(record.id);
  /** Folders that are not as they are at first: open for a package with few files, else closed. */
  const turned = useSignal<ReadonlySet<string>>(new Set());
  const openAtFirst = useSignal(record.file_count <= few);
  const wanted = useSignal('');
  const isOpen = (path: string): boolean => turned.value.has(path) !== openAtFirst.value;
  const rows = useMemo(
    () => (wanted.value === '' ? rowsOf(files.top, isOpen) : matchingRows(files.top, wanted.value)),
    [files.top, files.version, turned.value, openAtFirst.value, wanted.value],
  );
  const toggle = (path: string): void => {
    const next = new Set(turned.value);
    if (!next.delete(path)) next.add(path);
    turned.value = next;
  };
  const turnAll = (open: boolean): void => {
    openAtFirst.value = open;
    turned.value = new Set();
  };
  const hrefOf = ({ relative_path }: ListedFile): string => fileAddress(record.id, relative_path);
  const { problem, loading, top } = files;
  const { damaged } = top;
  useEffect(() => {
    onDamaged(
      damaged === 0 ? undefined : { count: damaged, first: damagedFiles(top, namedFiles).map(({ relative_path }) => relative_path) },
    );
  }, [top, damaged]);
  return (
    <Section
      title={text.files}
      beside={
        top.files === 0 ? null : (
          <div class="buttons">
            <input
              class="narrow"
              type="search"
              aria-label={text.filterPaths}
              placeholder={text.filterPaths}
              value={wanted.value}
              onInput={(event) => {
                wanted.value = event.currentTarget.value;
              }}
            />
            {top.folders.size === 0 ? null : (
              <>
                <button type="button" class="button" onClick={() => turnAll(true)}>
                  {text.openAll}
                </button>
                <button type="button" class="button" onClick={() => turnAll(false)}>
                  {text.closeAll}
                </button>
              </>
            )}
          </div>
        )
      }
    >
      {top.files === 0 ? (
        problem !== undefined ? (
          <Failure problem={problem} />
        ) : loading ? (
          <Loading rows={6} />
        ) : (
          <Empty title={text.noFiles} />
        )
      ) : (
        <>
          {record.status === 'garbage_collected' ? <p class="quiet">{text.filesGone}</p> : null}
          <FileTree
            rows={rows}
            isOpen={isOpen}
            toggle={toggle}
            open={(file) => navigate(hrefOf(file))}
            hrefOf={hrefOf}
            label={text.filesLabel}
          />
          <p class="quiet" role="status">
            {loading
              ? text.filesLoading(formatCount(top.files), formatCount(record.file_count))
              : wanted.value === ''
                ? text.filesShown(top.files, formatCount(top.files))
                : text.filesMatching(formatCount(rows.length), formatCount(top.files))}
          </p>
          {problem === undefined ? null : <Failure problem={problem} />}
        </>
      )}
    </Section>
  );
}

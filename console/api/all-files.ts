import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { connectionEpoch } from '../connection.ts';
import { isDamaged } from '../damaged.ts';
import { session } from '../session.ts';
import { addFiles, emptyFolder, type Folder, type ListedFile } from '../tree.ts';
import { callJson, segments } from './call.ts';
import type { Problem } from './problem.ts';
import type { File, Page } from './records.ts';
import { damageFound } from './refresh.ts';
import { asProblem } from './resource.ts';

/** All files of a package as a tree that grows while they are read. */
export interface AllFiles {
  readonly top: Folder;
  /** Goes up with each page that came. */
  readonly version: number;
  readonly problem: Problem | undefined;
  readonly loading: boolean;
}

/** The first page is short: it is seen before the others have come. */
const firstPage = 200;
const nextPages = 1_000;

export function useAllFiles(packageId: string): AllFiles {
  const state = useSignal<AllFiles>({ top: emptyFolder(), version: 0, problem: undefined, loading: true });
  useEffect(() => {
    const controller = new AbortController();
    const { signal } = controller;
    const top = emptyFolder();
    state.value = { top, version: 0, problem: undefined, loading: true };
    const read = async (): Promise<void> => {
      let cursor: string | null = null;
      let version = 0;
      do {
        const query: Record<string, string | number | undefined> = {
          limit: version === 0 ? firstPage : nextPages,
          cursor: cursor ?? undefined,
        };
        const page: Page<File> = await callJson<Page<File>>(`packages/${segments(packageId)}/files`, { query, signal });
        addFiles(top, page.items.map(listed));
        cursor = page.next_cursor;
        version += 1;
        if (!signal.aborted) state.value = { top, version, problem: undefined, loading: cursor !== null };
      } while (cursor !== null && !signal.aborted);
    };
    read().catch((error: unknown) => {
      if (!signal.aborted) state.value = { ...state.peek(), problem: asProblem(error), loading: false };
    });
    return () => controller.abort();
  }, [packageId, session.value.epoch, connectionEpoch.value, damageFound.value]);
  return state.value;
}

/** What the tree shows of a file, and no more: 100,000 whole records would be most of the page's memory. */
function listed({ relative_path, size_bytes, media_type, digest_sha256, locations }: File): ListedFile {
  return { relative_path, size_bytes, media_type, digest_sha256, ...(isDamaged({ locations }) ? { damaged: true } : {}) };
}

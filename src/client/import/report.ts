import type { ArtifactstoreError } from '../../kernel/error.ts';
import type { Package } from '../../registry/REGISTRY.ts';
import type { CopyState, PackageCopy } from './copy-package.ts';

/** Of a package that could not be copied, or not with all that belongs to it. */
export interface ImportProblem {
  readonly source_package_id: string;
  readonly name: string;
  readonly producer: string;
  /** The package of the target; null where none was made. */
  readonly package_id: string | null;
  readonly code: string;
  readonly detail: string;
  /** The file that it is about; null where it is about the package. */
  readonly relative_path: string | null;
}

/** What an import has done. Sizes are in bytes. */
export interface ImportReport {
  readonly source: string;
  /** Sealed packages of the source by what became of them. */
  readonly packages: { readonly [S in CopyState]: number };
  /** Packages of the source that are not sealed yet; those that were abandoned or collected. Neither is copied. */
  readonly open_packages: number;
  readonly ended_packages: number;
  /** Of what was copied now, and what of it had to be sent. */
  readonly copied_files: number;
  readonly copied_bytes: number;
  readonly sent_bytes: number;
  /** The first 1,000, and how many more there are. */
  readonly problems: readonly ImportProblem[];
  readonly problems_left_out: number;
}

export interface Tally {
  note(copy: PackageCopy): void;
  /** One that is not sealed, and so not copied. */
  noteOther(status: Package['status']): void;
  sent(bytes: number): void;
  report(): ImportReport;
}

/** Of a package that ends a report are kept: a source may have any number that fail. */
const mostProblems = 1000;

export function createTally(source: string): Tally {
  const packages: Record<CopyState, number> = { copied: 0, present: 0, from_here: 0, gone: 0, expired: 0, failed: 0 };
  const problems: ImportProblem[] = [];
  let counts = { open_packages: 0, ended_packages: 0, copied_files: 0, copied_bytes: 0, sent_bytes: 0, problems_left_out: 0 };
  return {
    note(copy) {
      packages[copy.state] += 1;
      const { file_count, total_bytes } = copy.original;
      if (copy.state === 'copied')
        counts = { ...counts, copied_files: counts.copied_files + file_count, copied_bytes: counts.copied_bytes + total_bytes };
      const told = problemsOf(copy);
      const kept = told.slice(0, mostProblems - problems.length);
      problems.push(...kept);
      counts.problems_left_out += told.length - kept.length;
    },
    noteOther(status) {
      if (status === 'created') counts.open_packages += 1;
      else counts.ended_packages += 1;
    },
    sent(bytes) {
      counts.sent_bytes += bytes;
    },
    report: () => ({ source, packages: { ...packages }, ...counts, problems: [...problems] }),
  };
}

export function problemsOf({ original, package_id, faults }: PackageCopy): readonly ImportProblem[] {
  const { id: source_package_id, name, producer } = original;
  return faults.map((fault: ArtifactstoreError) => ({
    source_package_id,
    name,
    producer,
    package_id,
    code: fault.code,
    detail: fault.message,
    relative_path: fault.code === 'integrity_failure' && fault.field !== undefined ? fault.field : null,
  }));
}

import { ArtifactstoreError } from '../../kernel/error.ts';
import type { PublishedArtifacts } from '../addresses.ts';
import { type ArtifactBlock, artifactBlocks } from './artifact-blocks.ts';
import { lineOf } from './hcl-tokens.ts';
import { quoteHcl } from './quote-hcl.ts';

const scheme = 'artifactstore://';

interface Edit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/**
 * A job of Nomad, in HCL, with each `source = "artifactstore://<name>"` of an `artifact` block replaced by the address
 * of that artifact, and its checksum among the block's options. Nothing else of the text is changed. Throws
 * `invalid_value`, with the line, for a name that is not known, for a source that is a file of some machine, for
 * another checksum than the artifact's, and for the scheme anywhere else.
 */
export function resolveJob(job: string, artifacts: PublishedArtifacts): string {
  const { blocks, texts } = artifactBlocks(job);
  const edits: Edit[] = [];
  const resolved = new Set<number>();
  for (const block of blocks) {
    const { source } = block;
    if (source?.kind !== 'string') continue;
    const text = source.text.slice(1, -1);
    if (!text.startsWith(scheme)) {
      refuseFile(job, source.start, text);
      continue;
    }
    const name = text.slice(scheme.length);
    const artifact = Object.hasOwn(artifacts, name) ? artifacts[name] : undefined;
    if (artifact === undefined)
      throw invalid(job, source.start, `no bundle has an artifact "${name}"`, `the names are: ${namesOf(artifacts)}`);
    resolved.add(source.start);
    edits.push({ start: source.start, end: source.end, text: quoteHcl(artifact.url) });
    edits.push(...checksumEdits(job, block, `sha256:${artifact.sha256}`));
  }
  const elsewhere = texts.find(({ text, start }) => text.includes(scheme) && !resolved.has(start));
  if (elsewhere !== undefined)
    throw invalid(
      job,
      elsewhere.start + elsewhere.text.indexOf(scheme),
      `${scheme} stands where it is no source of an artifact`,
      'only an artifact block has a checksum that Nomad compares: write `artifact { source = "artifactstore://<name>" }`',
    );
  return applied(job, edits);
}

/** Go-getter takes these for files of the machine where the job runs, and compares nothing. */
function refuseFile(job: string, at: number, source: string): void {
  if (!/^(?:file:|\/|\.{1,2}(?:\/|$)|~|[A-Za-z]:[\\/])/i.test(source)) return;
  throw invalid(
    job,
    at,
    `the source "${source}" is a plain file of whichever machine the job runs on`,
    `publish it, and name it ${scheme}<name>`,
  );
}

/** The checksum among the options; where braces stand on one line, lines are broken as HCL wants them. */
function checksumEdits(job: string, { open, close, source, options }: ArtifactBlock, checksum: string): readonly Edit[] {
  const indent = indentOf(job, open.start);
  const line = `checksum = ${quoteHcl(checksum)}`;
  if (options?.checksum !== undefined) {
    if (options.checksum.text === quoteHcl(checksum)) return [];
    throw invalid(job, options.checksum.start, 'the artifact has another checksum', 'leave the checksum out: it is put in');
  }
  if (options !== undefined) {
    const inner = indentOf(job, options.open.start);
    const isEmpty = job.slice(options.open.end, options.close.start).trim() === '';
    const breaks = isEmpty || !/\n[^\S\n]*$/.test(job.slice(options.open.end, options.close.start));
    return [
      insertion(options.open.end, `\n${inner}  ${line}${/^[^\S\n]*(?:[#\n]|\/\/)/.test(job.slice(options.open.end)) ? '' : `\n${inner} `}`),
      ...(breaks && !isEmpty ? [insertion(options.close.start, `\n${inner}`)] : []),
    ];
  }
  const isOneLine = !job.slice(open.end, close.start).includes('\n');
  return [
    ...(isOneLine ? [insertion(open.end, `\n${indent} `), insertion(close.start, `\n${indent}`)] : []),
    insertion(source!.end, `\n${indent}  options {\n${indent}    ${line}\n${indent}  }`),
  ];
}

function insertion(at: number, text: string): Edit {
  return { start: at, end: at, text };
}

/** The spaces in front of the line in which a token is. */
function indentOf(job: string, at: number): string {
  const begin = job.lastIndexOf('\n', at - 1) + 1;
  return /^[ \t]*/.exec(job.slice(begin, at))![0];
}

function applied(text: string, edits: readonly Edit[]): string {
  let result = '';
  let at = 0;
  for (const { start, end, text: put } of [...edits].sort((a, b) => a.start - b.start || a.end - b.end)) {
    result += text.slice(at, start) + put;
    at = end;
  }
  return result + text.slice(at);
}

const mostNames = 20;

function namesOf(artifacts: PublishedArtifacts): string {
  const names = Object.keys(artifacts);
  return names.length > mostNames ? `${names.slice(0, mostNames).join(', ')} and ${names.length - mostNames} more` : names.join(', ');
}

function invalid(job: string, at: number, fault: string, hint: string): ArtifactstoreError {
  const line = lineOf(job, at);
  return new ArtifactstoreError('invalid_value', `Line ${line} of the job: ${fault}.`, { field: '--resolve', info: { line, hint } });
}

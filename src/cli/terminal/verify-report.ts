import type { Verification } from '../../client/verify/verify-package.ts';
import { ArtifactstoreError } from '../../kernel/error.ts';
import type { Output } from './output.ts';
import { countFiles, formatBytes } from './size.ts';

/**
 * Says what a verification found, and throws when that is not "all is right". `server` is who was asked, if anybody.
 */
export async function reportVerification(output: Output, verification: Verification, server: string | undefined): Promise<void> {
  const { packageId, known, totalBytes, findings, leftFolders, interruption } = verification;
  const { files, provenance } = known.manifest;
  const complete = interruption === undefined;
  const ok = complete && findings.length === 0;
  // Nothing was found yet: the interruption is all there is to say.
  if (!complete && findings.length === 0) throw interruption;
  if (output.json)
    output.value({
      ok,
      package_id: packageId,
      manifest_digest: known.digest,
      file_count: files.length,
      total_bytes: totalBytes,
      problems: findings,
      complete,
      manifest_source: known.source,
      manifest_path: known.path,
      manifest_confirmed_by: known.confirmedBy,
      sealed_at: provenance.finalized_at,
      sealed_by: provenance.finalized_by,
      registry_id: provenance.registry_id,
      software: provenance.software,
      left_folders: leftFolders,
    });
  else {
    if (ok)
      output.line(
        `${output.colors.green('verified')} ${countFiles(files.length)}, ${formatBytes(totalBytes)}: every byte is what the manifest says`,
      );
    else
      await output.table(
        ['PROBLEM', 'FILE', 'DETAIL'],
        findings.map(({ problem, relative_path, detail }) => [problem, relative_path, detail]),
      );
    for (const line of identityOf(verification, server)) output.line(`  ${line}`);
    for (const folder of leftFolders)
      output.note(`note: "${folder}" is left from a pull that was killed, and was not looked at; \`pull --force\` removes it`);
  }
  if (!complete) throw interruption;
  if (!ok) throw problemOf(verification);
}

/** Which package this is, and who says so: a right directory beside a wrong manifest proves nothing. */
function identityOf({ known }: Verification, server: string | undefined): readonly string[] {
  const { finalized_at, finalized_by, registry_id, software } = known.manifest.provenance;
  const lines = [`manifest ${known.digest}`, `sealed   ${finalized_at} by ${finalized_by} in registry ${registry_id}, with ${software}`];
  if (known.source === 'server') lines.push(`checked  against the package's record and the log of events of ${server}`);
  else
    lines.push(
      known.source === 'given' ? `read     from ${known.path}` : `read     from ${known.path}, since no server answers at ${server}`,
    );
  if (known.confirmedBy.includes('digest')) lines.push('digest   is the one that was given');
  if (known.confirmedBy.length === 0)
    lines.push(
      'trusted  as given: nobody confirmed this manifest. A file that was removed from it and from the directory is not missed.',
      '         Compare its digest with the one that you were given, or let --digest do it.',
    );
  return lines;
}

function problemOf({ packageId, findings }: Verification): ArtifactstoreError {
  const unreadable = findings.filter(({ problem }) => problem === 'unreadable').length;
  const wrong = findings.length - unreadable;
  const info = { package_id: packageId, problem_count: findings.length };
  const hint = findings.some(({ detail }) => /\((EMFILE|ENFILE)\)/.test(detail))
    ? 'take fewer --jobs, or raise `ulimit -n`, and verify again'
    : 'verify again when this user can read them';
  if (wrong === 0)
    return new ArtifactstoreError(
      'local_file_failed',
      `${unreadableFiles(unreadable)}, so nothing is known of ${unreadable === 1 ? 'it' : 'them'}.`,
      {
        info: { ...info, hint },
      },
    );
  const wrongFiles = wrong === 1 ? 'One file is' : `${wrong} files are`;
  const more = unreadable === 0 ? '' : ` ${unreadableFiles(unreadable)}.`;
  return new ArtifactstoreError('integrity_failure', `${wrongFiles} not what the manifest of package ${packageId} says.${more}`, {
    info: { ...info, ...(unreadable === 0 ? {} : { hint }) },
  });
}

function unreadableFiles(count: number): string {
  return count === 1 ? 'One file or directory could not be read' : `${count} files or directories could not be read`;
}

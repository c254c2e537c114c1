import { join, resolve } from 'node:path';
import { type Artifact, formatBundle, mostArtifacts, parseBundle } from '../../bundle/manifest.ts';
import { hashFile } from '../../client/tree/read-file.ts';
import { walkTree } from '../../client/tree/walk.ts';
import { ArtifactstoreError } from '../../kernel/error.ts';
import { mediaTypeOf } from '../../protocol/media-type.ts';
import { localFileError } from '../../runtime/file-error.ts';
import { replaceFile } from '../../runtime/replace-file.ts';
import { stopOnSignal } from '../../runtime/stop-signals.ts';
import type { Context } from '../context.ts';
import type { Definition } from '../definition.ts';
import { counted, formatBytes } from '../terminal/size.ts';

interface BundleOptions {
  readonly name: string;
  readonly release?: string;
}

export const bundle: Definition = (command, context) => {
  command
    .argument('<dir>', 'the files of the release; each is an artifact')
    .requiredOption('--name <name>', 'what is released: letters, digits, ".", "_" and "-"')
    .option('--release <release>', 'which of its releases, such as a commit')
    .addHelpText(
      'after',
      `
Reads every file below the directory and writes <dir>/bundle.json, the manifest
that \`publish\` takes. It needs no server. Any build tool can write the file
itself: docs/deployments.md says what is in it.

Examples:
  $ artifactstore bundle ./dist --name gamma --release "$(git rev-parse HEAD)"
  $ artifactstore bundle ./dist --name gamma --json`,
    )
    .action(async (directory: string, options: BundleOptions) => {
      await writeBundle(context(), directory, options);
    });
};

async function writeBundle(context: Context, shown: string, { name, release }: BundleOptions): Promise<void> {
  const { directory, output } = context;
  using stop = stopOnSignal();
  const root = resolve(directory, shown);
  const files = walkTree(root).files.filter(({ relativePath }) => relativePath !== 'bundle.json');
  if (files.length === 0)
    throw new ArtifactstoreError('invalid_path', `There is no file below "${shown}".`, { info: { hint: 'build first' } });
  if (files.length > mostArtifacts)
    throw new ArtifactstoreError(
      'too_many_files',
      `There are ${files.length} files below "${shown}"; a bundle has up to ${mostArtifacts}.`,
      {
        info: { hint: 'put what belongs together into archives' },
      },
    );
  const artifacts: Artifact[] = [];
  for (const file of files) {
    const { contentAddress, isSteady } = await hashFile(file, stop.signal);
    if (!isSteady)
      throw new ArtifactstoreError('digest_mismatch', `"${file.relativePath}" changed while it was read.`, {
        info: { hint: 'run the command again when the build is done' },
      });
    artifacts.push({
      name: file.relativePath,
      sha256: contentAddress.slice('sha256:'.length),
      size_bytes: file.sizeBytes,
      media_type: mediaTypeOf(file.relativePath),
      path: file.relativePath,
    });
  }
  const manifest = formatBundle({ name, ...(release === undefined ? {} : { release }), artifacts });
  parseBundle(manifest);
  const path = join(root, 'bundle.json');
  await replaceFile(path, [manifest], { mode: 0o666 }).catch((error: unknown) => {
    throw localFileError(error, path, 'written');
  });
  const bytes = artifacts.reduce((sum, { size_bytes }) => sum + size_bytes, 0);
  if (output.json) output.value({ file: path, name, release: release ?? null, artifacts: artifacts.length, total_bytes: bytes });
  else
    output.line(
      `${output.colors.green('wrote')} ${join(shown, 'bundle.json')}: ${counted(artifacts.length, 'artifact')}, ${formatBytes(bytes)}`,
    );
}

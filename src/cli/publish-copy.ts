import { resolve } from 'node:path';
import type { PublishedArtifacts } from '../bundle/addresses.ts';
import { type CopyTarget, copyBundle } from '../bundle/copy/copy-bundle.ts';
import { directoryTarget } from '../bundle/copy/directory-target.ts';
import { sshTarget } from '../bundle/copy/ssh-target.ts';
import { parseSshUrl } from '../bundle/copy/ssh-url.ts';
import type { LocalBundle } from '../bundle/local-bundle.ts';
import { titleOf } from '../bundle/manifest.ts';
import { addressedArtifacts } from '../bundle/published.ts';
import { ArtifactstoreError } from '../kernel/error.ts';
import { parseHttpUrl } from '../protocol/http-url.ts';
import type { Context } from './context.ts';
import { createProgress } from './terminal/progress.ts';
import { counted } from './terminal/size.ts';

/** Where `bootstrap-serve` listens if it is not told otherwise. */
const usualServer = 'http://127.0.0.1:7380';

export interface CopyCommandOptions {
  readonly to?: string;
  readonly mode: number;
  readonly owner?: string;
  readonly create?: boolean;
  readonly baseUrl?: string;
}

/** Installs bundles that were checked, one after the other, and gives the addresses that they will have. */
export async function copyAll(
  context: Context,
  bundles: readonly LocalBundle[],
  options: CopyCommandOptions,
  signal: AbortSignal,
): Promise<PublishedArtifacts> {
  const { output } = context;
  const { baseUrl = usualServer } = options;
  const target = targetOf(context, options);
  const all = bundles.flatMap(({ bundle }) => bundle.artifacts).reduce((sum, { size_bytes }) => sum + size_bytes, 0);
  const progress = await createProgress(output, 'copying', all);
  let copied = 0;
  try {
    for (const local of bundles)
      await copyBundle(local, target, {
        signal,
        onInstalled({ size_bytes }, isNew) {
          copied += isNew ? 1 : 0;
          progress.advance(size_bytes);
        },
      });
  } finally {
    progress.stop();
  }
  const titles = bundles.map(({ bundle }) => titleOf(bundle)).join(', ');
  output.note(`installed ${titles} at ${target.title}; ${counted(copied, 'file')} had to be copied`);
  return addressedArtifacts(bundles, baseUrl);
}

/** Throws `invalid_value` where the options name no place. Nothing is looked at yet. */
export function targetOf({ directory, environment }: Context, { to = '', mode, owner, create = false }: CopyCommandOptions): CopyTarget {
  if (owner !== undefined && !/^(?:[A-Za-z_][\w.-]*|\d+)?(?::(?:[A-Za-z_][\w.-]*|\d+))?$/.test(owner))
    throw new ArtifactstoreError('invalid_value', `"${owner}" is no owner.`, {
      field: '--owner',
      info: { hint: 'write user, user:group or :group' },
    });
  const options = { mode, create, ...(owner === undefined ? {} : { owner }) };
  if (/^ssh:/i.test(to)) return sshTarget(parseSshUrl(to, '--to'), { ...options, environment });
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(to))
    throw new ArtifactstoreError('invalid_value', `Nothing can be copied to "${to}".`, {
      field: '--to',
      info: { hint: 'name a directory, or ssh://user@host/dir' },
    });
  return directoryTarget(resolve(directory, to), options);
}

/** Throws `invalid_value` where an address of a server is none. */
export function requireServer(url: string): void {
  try {
    parseHttpUrl(url);
  } catch (error) {
    throw new ArtifactstoreError('invalid_value', `--base-url: ${(error as Error).message}.`, { field: '--base-url', cause: error });
  }
}

import { ArtifactstoreError } from '../kernel/error.ts';
import { quoteHcl } from './nomad/quote-hcl.ts';

/** Where the bytes of an artifact are read, and which they are. */
export interface PublishedArtifact {
  readonly url: string;
  /** In lowercase hex. */
  readonly sha256: string;
  readonly size_bytes: number;
}

/** By the names of the artifacts. */
export type PublishedArtifacts = Readonly<Record<string, PublishedArtifact>>;

/**
 * As a file of variables of Nomad has them (`nomad job run -var-file`): `registry_tar_gz_url` and
 * `registry_tar_gz_checksum`. Throws `invalid_value` when two names would be one variable.
 */
export function formatNomadVariables(artifacts: PublishedArtifacts): string {
  return variablesOf(artifacts, (name) => name.toLowerCase(), /^[0-9]/)
    .map(([name, { url, sha256 }]) => `${name}_url = ${quoteHcl(url)}\n${name}_checksum = ${quoteHcl(`sha256:${sha256}`)}\n`)
    .join('');
}

/**
 * As lines of an environment file, that a shell, systemd and Docker read alike: `REGISTRY_TAR_GZ_URL` and
 * `REGISTRY_TAR_GZ_SHA256`. Throws `invalid_value` when two names would be one variable.
 */
export function formatEnvironment(artifacts: PublishedArtifacts): string {
  return variablesOf(artifacts, (name) => name.toUpperCase(), /^[0-9]/)
    .map(([name, { url, sha256 }]) => `${name}_URL=${plain(url)}\n${name}_SHA256=${sha256}\n`)
    .join('');
}

function variablesOf(
  artifacts: PublishedArtifacts,
  cased: (name: string) => string,
  needsLetter: RegExp,
): readonly (readonly [string, PublishedArtifact])[] {
  const names = new Map<string, string>();
  return Object.entries(artifacts).map(([name, artifact]) => {
    const word = cased(name.replaceAll(/[^A-Za-z0-9]/g, '_'));
    const variable = needsLetter.test(word) ? `_${word}` : word;
    const twin = names.get(variable);
    if (twin !== undefined)
      throw new ArtifactstoreError('invalid_value', `"${twin}" and "${name}" would both be the variable ${variable}.`, {
        info: { hint: 'name one of them otherwise; --json has both as they are' },
      });
    names.set(variable, name);
    return [variable, artifact] as const;
  });
}

/** An address has no character that any of those readers would take for more than itself. */
function plain(url: string): string {
  if (/^[A-Za-z0-9:/._~%@[\]-]+$/.test(url)) return url;
  throw new ArtifactstoreError('invalid_value', `The address "${url}" has characters that an environment file cannot have as they are.`);
}

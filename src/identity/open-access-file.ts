import type { Grant, Quota } from '../kernel/access.ts';
import { ArtifactstoreError, isArtifactstoreError } from '../kernel/error.ts';
import type { AccessFile, Finding } from './access-file/access-file.ts';
import { accessFileError } from './access-file/findings.ts';
import { longestAccessFile, readAccessFile } from './access-file/read.ts';
import { createGranted, type Granted } from './grants/granted.ts';
import type { AccessFileStatus, AccessStatus, Identified } from './IDENTITY.ts';
import type { Oidc, VerifiedToken } from './oidc/OIDC.ts';
import { hasTokenForm } from './oidc/read-token.ts';
import { watchFile } from './watched-file.ts';

/** What happens to the file while it is in use. */
export interface AccessFileEvents {
  /** A newer version is not in force, or the file cannot be read; the last good one stays. */
  onRefused?(error: ArtifactstoreError): void;
  /** A newer version is in force, with what it most likely does not mean. */
  onTaken?(status: AccessFileStatus, warnings: readonly Finding[]): void;
}

export interface AccessFileOptions extends AccessFileEvents {
  readonly path: string;
  /** How often it is looked at; a change is in force after two looks. */
  readonly pollMilliseconds?: number;
  /** How many of this server read it, each for itself. */
  readonly processes?: number;
}

/** The access file, as it is now. */
export interface OpenAccessFile extends AsyncDisposable {
  /** As `Identity.identify`; undefined where it is neither a token of the file nor one that an issuer signed. */
  identify(token: string): Identified | Promise<Identified> | undefined;
  /** The same list as long as the version is the same. */
  readonly anonymous: readonly Grant[];
  quotaOf(producer: string): Quota | undefined;
  isSecret(text: string): boolean;
  readonly issuers: AccessFile['issuers'];
  status(): AccessStatus;
  /** What the version in force most likely does not mean. */
  readonly warnings: readonly Finding[];
  look(): Promise<void>;
}

export interface AccessFileParts {
  /** Told the issuers of each version. */
  readonly oidc: Oidc;
  /** SHA-256 of the tokens that may do everything already, in hex. */
  readonly serverTokens: ReadonlySet<string>;
}

/** Throws `invalid_configuration` with everything that is wrong with the file. */
export async function openAccessFile(options: AccessFileOptions, { oidc, serverTokens }: AccessFileParts): Promise<OpenAccessFile> {
  const { path, pollMilliseconds = 1_000, processes = 1 } = options;
  let version: { readonly file: AccessFile; readonly granted: Granted } | undefined;
  const now = () => version!;
  const watched = await watchFile({
    path,
    pollMilliseconds,
    longest: longestAccessFile,
    take: (bytes) => {
      const read = readAccessFile(bytes, processes);
      if ('errors' in read) throw accessFileError(path, read.errors);
      const { file } = read;
      const twice = file.grants.filter(({ holder }) => holder.kind === 'token' && serverTokens.has(holder.digest));
      if (twice.length > 0)
        throw accessFileError(
          path,
          twice.map(({ place }) => ({ ...place, message: ofServer })),
        );
      oidc.use(file.issuers);
      version = { file, granted: createGranted(file) };
    },
    onRefused: (error) => options.onRefused?.(error),
    onTaken: (status) => options.onTaken?.(status, now().file.warnings),
  });
  options.onTaken?.(watched.status(), now().file.warnings);
  /** The version may have changed while an issuer was asked: what counts is the one that is in force in the end. */
  const granted = (verified: VerifiedToken, asked: AccessFile): Identified => {
    const { file, granted: given } = now();
    if (file !== asked && tableOf(file, verified) !== tableOf(asked, verified))
      throw new ArtifactstoreError(
        'unauthorized',
        `What is known of the issuer "${verified.issuer}" changed just now: send the token again.`,
        {
          field: 'authorization',
        },
      );
    return given.toClaims(verified);
  };
  return {
    identify(token) {
      const { file, granted: given } = now();
      const known = given.toToken(token);
      if (known !== undefined || file.issuers.length === 0 || !hasTokenForm(token)) return known;
      const verified = oidc.verify(token);
      return verified instanceof Promise ? verified.then((token) => granted(token, file), withoutReason) : granted(verified, file);
    },
    get anonymous() {
      return now().granted.toAnonymous;
    },
    get issuers() {
      return now().file.issuers;
    },
    get warnings() {
      return now().file.warnings;
    },
    isSecret: (text) => now().granted.toToken(text) !== undefined,
    quotaOf: (producer) => now().file.quotas.get(producer),
    status: () => ({ ...watched.status(), issuers: oidc.status() }),
    look: watched.look,
    async [Symbol.asyncDispose]() {
      watched.close();
    },
  };
}

/** A stranger can ask with any issuer: why its keys are not known, and its table, are for the log and `/health`. */
function withoutReason(error: unknown): never {
  if (!isArtifactstoreError(error, 'identity_unavailable')) throw error;
  throw new ArtifactstoreError('identity_unavailable', "What is known of the token's issuer is not enough to judge it now: try again.", {
    cause: error,
  });
}

function tableOf({ issuers }: AccessFile, { issuer }: VerifiedToken): string | undefined {
  return JSON.stringify(issuers.find(({ name }) => name === issuer));
}

const ofServer = 'this is a token of ARTIFACTSTORE_AUTH_TOKENS, which may do everything: it belongs into one of the two places';

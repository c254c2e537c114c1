import { ArtifactstoreError } from '../../kernel/error.ts';
import { databaseUnavailable } from '../failure.ts';

/** What a server says of itself when a connection to it is new. */
export interface Greeting {
  /** As `server_version_num`: 160004 is 16.4. */
  readonly version: number;
  readonly encoding: string;
  /** It follows another server, and may be behind it. */
  readonly standby: boolean;
}

export const greetingQuery: string = `select current_setting('server_version_num')::int as version,
  current_setting('server_encoding') as encoding, pg_is_in_recovery() as standby`;

const oldestVersion = 160_000;

/** Why this software does not work with such a server, as an error to throw; undefined when it does. */
export function refusal(greeting: Greeting, where: string, standbyWillDo: boolean): ArtifactstoreError | undefined {
  const { version, encoding, standby } = greeting;
  if (!(version >= oldestVersion))
    return unfit(
      `${where} is version ${Math.floor(version / 10_000)}, and 16 or later is needed.`,
      'upgrade the server, or name another one',
    );
  if (encoding !== 'UTF8')
    return unfit(
      `The database of ${where} has the encoding ${encoding}, and UTF8 is needed.`,
      "make it again: create database … encoding 'UTF8' template template0",
    );
  if (standby && !standbyWillDo) return isStandby(where);
  return undefined;
}

/** It is one of a pair: it was demoted, or the address leads to the wrong one. */
export function isStandby(where: string): ArtifactstoreError {
  const error = databaseUnavailable(
    `${where} is a standby (in recovery): it takes no writes, and what it shows may be old. ` +
      'Promote it, or let the URL lead to the primary.',
  );
  standbyErrors.add(error);
  return error;
}

export function isStandbyError(error: unknown): boolean {
  return error instanceof ArtifactstoreError && standbyErrors.has(error);
}

const standbyErrors = new WeakSet<ArtifactstoreError>();

function unfit(message: string, hint: string): ArtifactstoreError {
  return new ArtifactstoreError('invalid_configuration', message, { field: 'ARTIFACTSTORE_DATABASE_URL', info: { hint } });
}

import { ArtifactstoreError } from '../../kernel/error.ts';
import { unverifiedClaims } from '../../protocol/jwt-claims.ts';
import type { BearerSource } from './BEARER.ts';
import { claimedBy, endedAt } from './renewed.ts';

export interface GitLabJob {
  /** The variable that the job's `id_tokens:` names. */
  readonly variable: string;
  /** What the variable holds; undefined where it is not set. */
  readonly token: string | undefined;
  /** For whom the token has to be; anybody where undefined, since the job itself has chosen it by `aud:`. */
  readonly audience?: string | undefined;
}

/**
 * The id token of a job of GitLab CI/CD, which GitLab puts into a variable when the job starts (keyword `id_tokens`).
 * It is the only one that the job gets: it ends with the job's timeout, or after five minutes where there is none.
 */
export function tokenFromGitLabJob({ variable, token, audience }: GitLabJob): BearerSource {
  return {
    async take() {
      if (token === undefined || token === '')
        throw refused(variable, `There is no id token: the variable ${variable} is not set.`, howTo(variable, audience));
      const claims = unverifiedClaims(token);
      if (claims === undefined) throw refused(variable, `What ${variable} holds is not an id token.`, howTo(variable, audience));
      const { aud } = claims;
      if (audience !== undefined && aud !== audience && !(Array.isArray(aud) && aud.length === 1 && aud[0] === audience))
        throw refused(
          variable,
          `The id token in ${variable} is for ${JSON.stringify(aud ?? null).slice(0, 200)}, and "${audience}" was asked for.`,
          howTo(variable, audience),
        );
      return token;
    },
    hint(refusedToken) {
      const ended = endedAt(refusedToken);
      if (ended === undefined) return `compare the id token in ${variable} (${claimedBy(refusedToken)}) with what the server accepts`;
      return `the id token in ${variable} ended at ${ended}, and GitLab gives a job no other: give the job a longer timeout, or push in a job of its own`;
    },
  };
}

function howTo(variable: string, audience = 'the audience that the server asks for'): string {
  return `the job needs  id_tokens: { ${variable}: { aud: ${audience} } }`;
}

function refused(variable: string, message: string, hint: string): ArtifactstoreError {
  return new ArtifactstoreError('invalid_configuration', message, { field: variable, info: { hint } });
}

import { nobody } from '../../http/api.ts';
import type { Door } from '../../http/door.ts';
import { shareOfAddress } from '../../http/shares.ts';
import { ArtifactstoreError } from '../../kernel/error.ts';
import { problemHeaders, toProblem } from '../rest/problem.ts';
import { readBuilt } from './built.ts';
import { sendBuilt } from './send-built.ts';
import { type SignInParts, signInRoutes } from './sign-in.ts';

/** Where `npm run prepare` puts the console, the same distance from the sources and from what is compiled of them. */
const built = new URL('../../../console/dist/', import.meta.url);

export interface ConsoleParts extends Pick<SignInParts, 'signIn' | 'sessions' | 'limited' | 'log'> {
  /** Where the console was built; in this package where absent. */
  readonly directory: URL | undefined;
}

/**
 * The web console: files that were built before, to be read by whoever asks. What they show they ask for at the REST
 * door, as any client. Who is not to have a token signs in here, and has a cookie.
 */
export function createConsoleDoor({ directory = built, ...signIn }: ConsoleParts): Door {
  const files = readBuilt(directory);
  return {
    path: '/console',
    bounds: {},
    identify: ({ raw }) => ({ ...nobody, share: shareOfAddress(raw.socket.remoteAddress) }),
    unknownRoute: ({ prefix }) => new ArtifactstoreError('route_not_found', `There is nothing here: the console is at ${prefix}/console/.`),
    refuse(error, requestId) {
      const problem = toProblem(error, requestId);
      return { status: problem.status, headers: problemHeaders(problem), body: JSON.stringify(problem) };
    },
    addRoutes(api) {
      // With the slash at its end the page's own links lead the same way, below whatever path a proxy has put it.
      api.route({
        method: ['GET', 'HEAD'],
        url: '',
        handler: async ({ raw: { url = '' } }, reply) => {
          const [, query] = url.split('?', 2);
          return reply
            .code(302)
            .header('location', query === undefined ? 'console/' : `console/?${query}`)
            .send();
        },
      });
      signInRoutes(api, { ...signIn, sendPage: async (request, reply) => sendBuilt(request, reply, await files()) });
      api.route({ method: ['GET', 'HEAD'], url: '/*', handler: async (request, reply) => sendBuilt(request, reply, await files()) });
    },
  };
}

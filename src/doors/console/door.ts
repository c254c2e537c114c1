import { nobody } from '../../http/api.ts';
import type { Door } from '../../http/door.ts';
import { shareOfAddress } from '../../http/shares.ts';
import { ArtifactstoreError } from '../../kernel/error.ts';
import { problemHeaders, toProblem } from '../rest/problem.ts';
import { readBuilt } from './built.ts';
import { sendBuilt } from './send-built.ts';

/** Where `npm run prepare` puts the console, the same distance from the sources and from what is compiled of them. */
const built = new URL('../../../console/dist/', import.meta.url);

/**
 * The web console: files that were built before, to be read by whoever asks. What they show they ask for at the REST
 * door, as any client. `directory` is theirs where it is not that of this package.
 */
export function createConsoleDoor(directory: URL = built): Door {
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
      api.route({ method: ['GET', 'HEAD'], url: '/*', handler: async (request, reply) => sendBuilt(request, reply, await files()) });
    },
  };
}

import { nobody } from '../../http/api.ts';
import type { EngineContext } from '../../http/context.ts';
import type { Door } from '../../http/door.ts';
import { shareOfAddress } from '../../http/shares.ts';
import { ArtifactstoreError } from '../../kernel/error.ts';
import { type Problem, problemHeaders, toProblem } from '../rest/problem.ts';
import { type BundleParts, sendArtifact } from './send-artifact.ts';

/**
 * The artifacts of bundles, to be read by whoever asks, and nothing else: `/objects/sha256:<hex>`, with the name of the
 * file behind it or without. Refusals are problems, as those of a registry.
 */
export function createBundleDoor(context: EngineContext, parts: BundleParts): Door {
  return {
    path: '',
    bounds: {},
    identify: ({ raw }) => ({ ...nobody, share: shareOfAddress(raw.socket.remoteAddress) }),
    unknownRoute: () =>
      new ArtifactstoreError('route_not_found', 'There is nothing here: artifacts are at /objects/sha256:<hex>/<file name>.'),
    refuse(error, requestId) {
      const problem = withoutRegistry(toProblem(error, requestId));
      return { status: problem.status, headers: problemHeaders(problem), body: JSON.stringify(problem) };
    },
    addRoutes(api) {
      api.route({ method: ['GET', 'HEAD'], url: '/objects/*', handler: (request, reply) => sendArtifact(context, request, reply, parts) });
    },
  };
}

/** The name of a file on this machine is for its log, and settings of a registry are none of this server's. */
function withoutRegistry(problem: Problem): Problem {
  const { code, field, info } = problem;
  if (code !== 'forbidden' || field !== 'host' || info === undefined) return problem;
  return { ...problem, info: { hint: 'ask it as localhost or 127.0.0.1, which are the only names that it has' } };
}

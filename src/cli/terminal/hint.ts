import { type ArtifactstoreError, type ErrorCode, withInfo } from '../../kernel/error.ts';

/** What to do about an error, where the message does not say it already. */
export function hintFor(error: ArtifactstoreError): string | undefined {
  const own = error.info?.hint;
  if (typeof own === 'string') return own;
  // Where no server answered, the disk is this machine's.
  if (error.code === 'storage_full' && error.info?.status === undefined)
    return 'make room there and run the command again; nothing that was acknowledged is lost';
  const role = error.code === 'forbidden' ? rolesWith.get(error.info?.right) : undefined;
  return role === undefined ? hints[error.code] : `${role} has it: ask who keeps the access file; ${whoAmI}`;
}

/**
 * The same error with one more thing to know after its own hint. That a server can be started is no help to who had
 * one.
 */
export function withHint(error: ArtifactstoreError, hint: string, info: Readonly<Record<string, unknown>> = {}): ArtifactstoreError {
  const own = error.code === 'server_unreachable' ? error.info?.hint : hintFor(error);
  return withInfo(error, { ...info, hint: typeof own === 'string' ? `${own}; ${hint}` : hint });
}

const whoAmI = '`artifactstore whoami` shows whom the server takes you for and what you may do';

const rolesWith: ReadonlyMap<unknown, string> = new Map([
  ['read', 'every role'],
  ['write', 'the role writer'],
  ['keep', 'the role keeper'],
  ['observe', 'the role admin'],
  ['administer', 'the role admin'],
]);

const hints: Readonly<Partial<Record<ErrorCode, string>>> = {
  unauthorized:
    'set ARTIFACTSTORE_API_TOKEN to a token of this server, or ARTIFACTSTORE_API_TOKEN_FILE or ARTIFACTSTORE_IDENTITY to where ' +
    'one comes from; `artifactstore dev` makes one, and the commands find it',
  forbidden: `${whoAmI}; where no grant fits at all, \`artifactstore access check\` says why, beside the access file`,
  package_not_found: `what you may not read is not told from what is missing: ${whoAmI}`,
  quota_exceeded:
    'nothing was stored of what did not fit; `artifactstore producers list` shows the use, and `artifactstore retention sweep` ' +
    'with `retention gc` beside the server frees what has expired; the quota itself is in the access file, under [quotas.<producer>]',
  identity_unavailable: 'nothing is wrong with your token as far as is known: who issued it could not be asked; try again later',
  server_unreachable: 'start one with `artifactstore dev`, or set ARTIFACTSTORE_API_URL (or --api-url) to where it is',
  database_not_migrated: 'run `artifactstore migrate` once',
  storage_full: 'the server is out of room; nothing that it acknowledged is lost',
  unknown_retention_class: 'choose one with --retention-class',
  route_not_found: 'set ARTIFACTSTORE_API_URL (or --api-url) to the address of an artifactstore, with the path in front of its API',
  package_not_finalized: 'a package has a manifest when it is sealed; `artifactstore packages show` tells its status',
};

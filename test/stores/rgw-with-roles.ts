import { type PostgresServer, startPostgres } from '../postgres-server.ts';
import { type Issuer, longestTokenSeconds, startIssuer } from './issuer.ts';
import { type Rgw, startRgw } from './rgw.ts';

/** A Ceph gateway, an issuer whose tokens it can be shown, and a PostgreSQL server for a registry over it. */
export interface RgwWithRoles extends AsyncDisposable {
  readonly rgw: Rgw;
  readonly issuer: Issuer;
  readonly postgres: PostgresServer;
  /** Is disposed with the others, and before them. */
  use<T extends AsyncDisposable>(part: T): T;
}

export async function startRgwWithRoles(): Promise<RgwWithRoles> {
  await using starting = new AsyncDisposableStack();
  const rgw = starting.use(await startRgw());
  const issuer = starting.use(await startIssuer(longestTokenSeconds));
  const postgres = starting.adopt(await startPostgres(), (server) => server.stop());
  const opened = starting.move();
  return { rgw, issuer, postgres, use: (part) => opened.use(part), [Symbol.asyncDispose]: () => opened.disposeAsync() };
}

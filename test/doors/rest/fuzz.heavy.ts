import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { type PostgresServer, startPostgres } from '../../postgres-server.ts';
import { type OddRequest, type Operation, oddBodies, oddParameters, operationsOf } from './odd-requests.ts';
import { type Door, openDoor } from './open-door.ts';

/**
 * Whatever is asked with whatever values: the answer is one that the description names, and never that the server
 * failed.
 */
for (const database of ['SQLite', 'PostgreSQL'] as const)
  describe(`requests made from the description, ${database}`, () => {
    let server: PostgresServer | undefined;
    let door: Door;
    let operations: readonly Operation[];
    before(async () => {
      if (database === 'PostgreSQL') server = await startPostgres();
      const environment = server === undefined ? {} : { ARTIFACTSTORE_DATABASE_URL: await server.createDatabase() };
      door = await openDoor({ environment, limits: { heartbeat: 50 } });
      operations = operationsOf(await (await door.call('/openapi.json')).json());
    });
    after(async () => {
      await door[Symbol.asyncDispose]();
      await server?.stop();
    });

    async function holds({ operation, url, body, headers, mayStray, parameter, refusedFor }: OddRequest): Promise<void> {
      const { method, statuses } = operation;
      const response = await door.call(url, {
        method,
        ...(body === undefined ? {} : { body }),
        ...(headers === undefined ? {} : { headers }),
      });
      const text = await response.text();
      const said = `${method} ${url} ${body}: ${response.status} ${text.slice(0, 300)}`;
      assert.ok(response.status < 500, said);
      const asked = parameter ?? refusedFor;
      if (refusedFor !== undefined) assert.ok(response.status >= 400, `not refused: ${said}`);
      if (asked !== undefined && response.status === 400 && method !== 'HEAD') {
        const { field, detail } = JSON.parse(text) as { readonly field?: string; readonly detail: string };
        const named = String(field).startsWith(asked) || /query string|is missing/.test(detail);
        assert.ok(named, `the parameter is not named: ${said}`);
      }
      assert.ok(mayStray === true || statuses.has(String(response.status)), `not described: ${said}`);
    }

    it('holds for every parameter', async () => {
      for (const request of oddParameters(operations)) await holds(request);
    });

    it('holds for every text in a body, whatever it says', async () => {
      const { id } = await door.newPackage();
      for (const request of oddBodies(operations, id)) await holds(request);
    });
  });

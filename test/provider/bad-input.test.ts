import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, rmSync, symlinkSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { type ErrorCode, isArtifactstoreError } from '../../src/kernel/error.ts';
import { importAdminPair } from '../../src/provider/import-pair.ts';
import { everyPermission, openStrictApi, type StrictApi } from './cloudflare-r2/strict-api.ts';
import { providerAt } from './opened.ts';
import { openPrivateFolder, type PrivateFolder } from './private-file.ts';
import { withoutPatience } from './without-patience.ts';

/** What an import is given, wrong in one way. */
interface World {
  readonly api: StrictApi;
  readonly folder: PrivateFolder;
  /** Puts a file of a token there, which is right but for `value` and `mode`. */
  file(slot: 'a' | 'b', value?: string | Uint8Array, mode?: number): string;
  providerUrl: string;
  account: string;
}

interface Bad {
  readonly name: string;
  readonly spoil: (world: World) => void | Promise<void>;
  readonly code: ErrorCode;
  /** The step, and what was found or which permission is missing. */
  readonly told: RegExp;
  readonly remedy: RegExp;
}

const instead = (make: (path: string) => void): Bad['spoil'] => {
  return ({ folder }) => {
    const path = join(folder.path, 'b');
    rmSync(path);
    make(path);
  };
};

const without = (...missing: readonly string[]) => ({ permissions: everyPermission.filter((each) => !missing.includes(each)) });

const answers = (status: number, body: string, headers: Readonly<Record<string, string>> = {}): Bad['spoil'] => {
  return ({ api }) => api.strike(/./, { answer: { status, body, headers } }, 99);
};

const bad: readonly Bad[] = [
  {
    name: 'a link',
    spoil: instead((path) => symlinkSync('a', path)),
    code: 'local_file_failed',
    told: /^Token b: The token file .*\/b is a link\./,
    remedy: /^name the file that it leads to$/,
  },
  {
    name: 'a directory',
    spoil: instead((path) => mkdirSync(path)),
    code: 'local_file_failed',
    told: /^Token b: The token file .*\/b is a directory\./,
    remedy: /^name the file in it$/,
  },
  {
    name: 'a pipe',
    spoil: instead((path) => void execFileSync('mkfifo', ['-m', '600', path])),
    code: 'local_file_failed',
    told: /is not a regular file\./,
    remedy: /mode 0600/,
  },
  {
    name: 'not there',
    spoil: instead(() => undefined),
    code: 'local_file_failed',
    told: /cannot be read: it is not there \(ENOENT\)/,
    remedy: /look at the path/,
  },
  { name: 'empty', spoil: ({ file }) => void file('b', ''), code: 'authority_unusable', told: /b is empty\./, remedy: /write the token/ },
  {
    name: 'of 1 MiB',
    spoil: ({ file }) => void file('b', 'x'.repeat(1_048_576)),
    code: 'local_file_failed',
    told: /is longer than 4096 bytes\./,
    remedy: /name the file of a token/,
  },
  {
    name: 'no text',
    spoil: ({ file }) => void file('b', new Uint8Array([0xff, 0xfe])),
    code: 'authority_unusable',
    told: /is not text in UTF-8\./,
    remedy: /as text/,
  },
  {
    name: 'open to its group',
    spoil: ({ folder }) => chmodSync(join(folder.path, 'b'), 0o640),
    code: 'local_file_failed',
    told: /is open to others \(mode 0640\)\./,
    remedy: /^run `chmod 600 .*\/b`, and take the token for seen$/,
  },
  {
    name: 'of another user',
    spoil: ({ folder }) => chownSync(join(folder.path, 'b'), 65_534, 65_534),
    code: 'local_file_failed',
    told: /belongs to another user \(65534\)\./,
    remedy: /^run `chown \d+ /,
  },
  {
    name: 'twice the same token',
    spoil: ({ api, file }) => {
      const { value } = api.addToken();
      file('a', value);
      file('b', `\ufeff${value}\r\n`);
    },
    code: 'authority_unusable',
    told: /^Slots a and b hold the same authority \(sha256:[0-9a-f]{16}\)\. /,
    remedy: /^make a second one/,
  },
  {
    name: 'a token of another account',
    spoil: async ({ file }) => {
      await using other = await openStrictApi();
      file('b', other.addToken().value);
    },
    code: 'authority_unusable',
    told: /^Token b: .*does not know the token/,
    remedy: /./,
  },
  {
    name: 'an expired token',
    spoil: ({ api, file }) => void file('b', api.addToken({ expiresOn: '2020-01-01T00:00:00Z' }).value),
    code: 'authority_unusable',
    told: /^Token b: .*has expired/,
    remedy: /./,
  },
  {
    name: 'a disabled token',
    spoil: ({ api, file }) => void file('b', api.addToken({ status: 'disabled' }).value),
    code: 'authority_unusable',
    told: /^Token b: .*does not know the token/,
    remedy: /./,
  },
  {
    name: 'a token for other addresses',
    spoil: ({ api, file }) => void file('b', api.addToken({ allowedAddresses: ['192.0.2.1'] }).value),
    code: 'authority_unusable',
    told: /^Token b: .*this machine's address/,
    remedy: /address/,
  },
  {
    name: 'a token that may not read its own metadata',
    spoil: ({ api, file }) => void file('b', api.addToken(without('Account API Tokens Read')).value),
    code: 'provider_forbidden',
    told: /^Token b: The token's own metadata cannot be read .*: needs Account API Tokens Read on account [0-9a-f]{32}\./,
    remedy: /^add the permission "Account API Tokens Read"/,
  },
  {
    name: 'a token that may not make tokens',
    spoil: ({ api, file }) => void file('b', api.addToken(without('Account API Tokens Write')).value),
    code: 'provider_forbidden',
    told: /^Token b: .*needs Account API Tokens Write/,
    remedy: /^add the permission "Account API Tokens Write"/,
  },
  {
    name: 'a token that may not see the bucket',
    spoil: ({ api, file }) => void file('b', api.addToken(without('Workers R2 Storage Read', 'Workers R2 Storage Write')).value),
    code: 'provider_forbidden',
    told: /^Token b: .*needs Workers R2 Storage Read/,
    remedy: /^add the permission "Workers R2 Storage Read"/,
  },
  {
    name: 'a provider that answers a page',
    spoil: answers(200, '<html>Sign in</html>'),
    code: 'provider_unavailable',
    told: /^Token a: The provider at http.* answers 200 to GET \/tokens\/verify with .*not the API's JSON \(text\/html\).*Token b: /,
    remedy: /look at --provider-url/,
  },
  {
    name: 'a provider that answers 200 without success',
    spoil: answers(200, '{"success":false,"errors":[{"code":1234,"message":"m"}],"result":null}'),
    code: 'provider_unavailable',
    told: /refuses a call \(GET \/tokens\/verify\): 200, code 1234, success: false/,
    remedy: /./,
  },
  {
    name: 'a provider that limits how often it is asked',
    spoil: answers(429, '{}', { 'retry-after': '120' }),
    code: 'provider_unavailable',
    told: /limits how often it is asked \(429\), and wants 120 seconds: GET \/accounts\/[0-9a-f]{32}\/tokens\/verify\./,
    remedy: /^try again in 120 seconds; nothing was changed/,
  },
  {
    name: 'a provider that answers nothing',
    async spoil(world) {
      const deaf = createServer((socket) => socket.destroy());
      await new Promise<void>((resolve) => deaf.listen(0, '127.0.0.1', resolve));
      after(() => deaf.close());
      world.providerUrl = `http://127.0.0.1:${(deaf.address() as { port: number }).port}`;
    },
    code: 'provider_unavailable',
    told: /^Token a: The provider at http.* cannot be reached for GET \/accounts\/[0-9a-f]{32}\/tokens\/verify \([A-Z_]+\): the connection was cut/,
    remedy: /./,
  },
];

describe('an import that is given', () => {
  let api: StrictApi;
  before(async () => {
    api = await openStrictApi();
  });
  after(() => api[Symbol.asyncDispose]());

  for (const { name, spoil, code, told, remedy } of bad)
    test(`${name} says the step, what is wrong and the remedy, and keeps nothing`, { skip: needsRoot(name) }, async () => {
      using folder = openPrivateFolder();
      const values: string[] = [];
      const file: World['file'] = (slot, value = api.addToken().value, mode = 0o600) => {
        if (typeof value === 'string') values.push(value.trim());
        return folder.write(slot, value, mode);
      };
      const tokenFiles = [file('a'), file('b')] as const;
      const world: World = { api, folder, file, providerUrl: api.url, account: api.account };
      await spoil(world);
      const provider = providerAt('cloudflare-r2', world.account, world.providerUrl, 'http://127.0.0.1:1');
      const { secrets } = folder;
      const asked = { provider, account: world.account, providerUrl: world.providerUrl, tokenFiles, bucket: 'artifacts', secrets };
      try {
        await assert.rejects(importAdminPair({ ...asked, patience: withoutPatience(), dryRun: false }), (error) => {
          assert.ok(isArtifactstoreError(error, code), String(error));
          assert.match(error.message, told);
          assert.match(error.message, / Nothing was written\.$/);
          assert.match(String(error.info?.hint ?? ''), remedy);
          const said = JSON.stringify([error.message, error.info, error.field]);
          for (const value of values) assert.equal(value !== '' && said.includes(value), false);
          return true;
        });
        assert.deepEqual(await secrets.list(), [], 'nothing is half persisted');
      } finally {
        api.endStrikes();
        await provider.close();
      }
    });
});

function needsRoot(name: string): string | false {
  return name === 'of another user' && process.geteuid?.() !== 0 ? 'only root can give a file away' : false;
}

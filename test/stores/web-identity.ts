import { randomBytes } from 'node:crypto';
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  CreateOpenIDConnectProviderCommand,
  CreateRoleCommand,
  DeleteRolePolicyCommand,
  IAMClient,
  PutRolePolicyCommand,
} from '@aws-sdk/client-iam';
import { webIdentityCredentials } from '../../src/credentials/web-identity.ts';
import type { Issuer } from './issuer.ts';
import type { Rgw } from './rgw.ts';

/** What a server is told in order to exchange a token for keys. */
export interface Exchange {
  /** Undefined where the store reads from the token what it allows. */
  readonly roleArn: string | undefined;
  readonly stsEndpointUrl: string;
  readonly tokenFile: string;
}

/** A role that whoever has a token of the issuer may take, and what a server needs to take it. */
export interface WebIdentity extends Exchange, AsyncDisposable {
  /** Replaces the token as those who hand out tokens do: in one step. The issuer's own token by default. */
  writeToken(token?: string): Promise<void>;
  /** Takes the role once, with the token that is there. */
  take(): Promise<void>;
  /** The role may do nothing any more, in sessions that began before too. */
  removeRolePolicy(): Promise<void>;
  putRolePolicy(): Promise<void>;
}

/** Whose tokens a role is given for. */
export type TokenIssuer = Pick<Issuer, 'url' | 'audience' | 'thumbprint' | 'clientToken'>;

/** The role may do what a server does, in this bucket only. */
export async function prepareWebIdentity(rgw: Rgw, issuer: TokenIssuer, bucket: string): Promise<WebIdentity> {
  const iam = new IAMClient({ endpoint: rgw.url, region: rgw.region, credentials: rgw.admin.keys });
  const directory = await mkdtemp(join(tmpdir(), 'artifactstore-token-'));
  const tokenFile = join(directory, 'token');
  const host = issuer.url.replace('http://', '');
  const RoleName = `role-${randomBytes(4).toString('hex')}`;
  const PolicyName = 'artifacts';

  const provider = { Url: issuer.url, ClientIDList: [issuer.audience], ThumbprintList: [issuer.thumbprint] };
  await iam.send(new CreateOpenIDConnectProviderCommand(provider)).catch((error: unknown) => {
    if (
      (error as Error).name !== 'EntityAlreadyExists' &&
      (error as { $metadata?: { httpStatusCode?: number } }).$metadata?.httpStatusCode !== 409
    )
      throw error;
  });
  const trust = {
    Effect: 'Allow',
    Principal: { Federated: [`arn:aws:iam:::oidc-provider/${host}`] },
    Action: ['sts:AssumeRoleWithWebIdentity'],
    Condition: { StringEquals: { [`${host}:app_id`]: issuer.audience } },
  };
  const { Role } = await iam.send(new CreateRoleCommand({ RoleName, AssumeRolePolicyDocument: policy(trust) }));
  const allowed = [
    {
      Effect: 'Allow',
      Action: [
        's3:GetObject',
        's3:PutObject',
        's3:PutObjectAcl',
        's3:DeleteObject',
        's3:AbortMultipartUpload',
        's3:ListMultipartUploadParts',
      ],
      Resource: [`arn:aws:s3:::${bucket}/*`],
    },
    { Effect: 'Allow', Action: ['s3:ListBucket', 's3:ListBucketMultipartUploads'], Resource: [`arn:aws:s3:::${bucket}`] },
  ];

  const identity: WebIdentity = {
    roleArn: Role?.Arn ?? '',
    stsEndpointUrl: rgw.url,
    tokenFile,
    async writeToken(token) {
      await writeFile(`${tokenFile}.next`, token ?? (await issuer.clientToken()), { mode: 0o600 });
      await rename(`${tokenFile}.next`, tokenFile);
    },
    async take() {
      const { roleArn, stsEndpointUrl } = identity;
      const source = { roleArn, stsEndpointUrl, region: rgw.region, webIdentityTokenFile: tokenFile, sessionDurationSeconds: 900 };
      await webIdentityCredentials(source).keys();
    },
    removeRolePolicy: async () => void (await iam.send(new DeleteRolePolicyCommand({ RoleName, PolicyName }))),
    putRolePolicy: async () =>
      void (await iam.send(new PutRolePolicyCommand({ RoleName, PolicyName, PolicyDocument: policy(...allowed) }))),
    async [Symbol.asyncDispose]() {
      iam.destroy();
      await rm(directory, { recursive: true, force: true });
    },
  };
  await identity.putRolePolicy();
  await identity.writeToken();
  return identity;
}

function policy(...statements: readonly object[]): string {
  return JSON.stringify({ Version: '2012-10-17', Statement: statements });
}

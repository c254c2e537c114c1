import { type DirectoryStoreKind, startDirectoryStore, whyNo } from './directory-store.ts';
import { longestTokenSeconds, startIssuer } from './issuer.ts';
import { directoryStores } from './kinds.ts';
import { startRgw, whyNoRgw } from './rgw.ts';
import type { RealStore, StoreKeys } from './store.ts';
import { prepareWebIdentity, type WebIdentity } from './web-identity.ts';

/** A bucket to certify, the keys to do it with, and what else can be asked. */
export interface CertifiedGround {
  readonly store: RealStore;
  readonly bucket: string;
  /** Short-lived keys of this role; the owner's keys where absent. */
  readonly identity?: WebIdentity;
  /** A bucket of somebody else. */
  readonly otherBucket?: string;
  /** The bucket's owner, where the keys are not the owner's. */
  readonly owner?: StoreKeys;
}

/** A row of the results in docs/stores.md. */
export interface CertifiedStore {
  readonly name: string;
  /** What stays in the store after a certification, and why. */
  readonly remains?: string | undefined;
  /** Why only what is found of registry storage is the same every time. */
  readonly wavers?: string | undefined;
  /** Why it cannot be certified here. */
  missing(): string | undefined;
  open(): Promise<CertifiedGround & AsyncDisposable>;
}

export const certifiedStores: readonly CertifiedStore[] = [
  { name: 'Ceph RGW, keys of a user', missing: whyNoRgw, open: openRgw },
  { name: 'Ceph RGW, keys of a role', missing: whyNoRgw, open: openRgwRole },
  ...directoryStores.map(certifiedKind),
];

async function openRgw(): Promise<CertifiedGround & AsyncDisposable> {
  await using opening = new AsyncDisposableStack();
  const rgw = opening.use(await startRgw());
  const bucket = await rgw.createBucket();
  const otherBucket = await rgw.createBucket(rgw.admin.keys);
  const opened = opening.move();
  return { store: rgw, bucket, otherBucket, [Symbol.asyncDispose]: () => opened.disposeAsync() };
}

async function openRgwRole(): Promise<CertifiedGround & AsyncDisposable> {
  await using opening = new AsyncDisposableStack();
  const rgw = opening.use(await startRgw());
  const issuer = opening.use(await startIssuer(longestTokenSeconds));
  const bucket = await rgw.createBucket();
  const identity = opening.use(await prepareWebIdentity(rgw, issuer, bucket));
  const otherBucket = await rgw.createBucket();
  const opened = opening.move();
  return { store: rgw, bucket, identity, otherBucket, owner: rgw.keys, [Symbol.asyncDispose]: () => opened.disposeAsync() };
}

function certifiedKind(kind: DirectoryStoreKind): CertifiedStore {
  return {
    name: kind.name,
    remains: kind.remains,
    wavers: kind.wavers,
    missing: () => whyNo(kind),
    async open() {
      const store = await startDirectoryStore(kind);
      return { store, bucket: await store.createBucket(), [Symbol.asyncDispose]: () => store[Symbol.asyncDispose]() };
    },
  };
}

// The public names. test/public-api.test.ts holds the list.

export type { Context as CommandContext } from './cli/context.ts';
export type { CommandEntry, CommandTable, Definition as CommandDefinition } from './cli/definition.ts';
export { type ConnectOptions, connectRegistry, type RemoteRegistry } from './client/connect.ts';
export { type Difference, describeDifference, differenceOf, packageFiles } from './client/difference.ts';
export { type FileContent, filesDigestOf, type HashedFile, hashFile } from './client/read-file.ts';
export { type UploadOptions, uploadFiles } from './client/upload.ts';
export { type Tree, type TreeFile, walkTree } from './client/walk.ts';
export { type OpenRegistryOptions, openRegistry } from './compose/open-registry.ts';
export type { Store } from './compose/open-store.ts';
export { type Config, readConfig } from './config/config.ts';
export { type ContentAddress, formatAddress, parseAddress } from './kernel/content/address.ts';
export { type Algorithm, createHasher, type Hasher } from './kernel/content/digest.ts';
export { parseRelativePath, type RelativePath } from './kernel/content/path.ts';
export { ArtifactstoreError, type ErrorCode, errorCodes, isArtifactstoreError } from './kernel/error.ts';
export { decodeCbor, encodeCbor } from './kernel/format/cbor.ts';
export { canonicalJson, type JsonObject, type JsonValue, parseJson } from './kernel/format/json.ts';
export type { EventPayloads, EventType } from './kernel/log/event.ts';
export type { Manifest, ManifestFile, StorageReceipt } from './kernel/manifest.ts';
export type * from './registry/REGISTRY.ts';
export type * from './registry/upkeep/OPERATOR.ts';
export type { BackendConfig, BackendKind } from './storage/kind.ts';
export { backendKinds } from './storage/kinds.ts';
export { version } from './version.ts';

// The public names. test/public-api.test.ts holds the list.

export type { Context as CommandContext } from './cli/context.ts';
export type { CommandEntry, CommandTable, Definition as CommandDefinition } from './cli/definition.ts';
export { type ConnectOptions, connectRegistry, type RemoteRegistry } from './client/connect.ts';
export { type Difference, describeDifference, differenceOf, packageFiles } from './client/difference.ts';
export { type FileContent, filesDigestOf, type HashedFile, hashFile } from './client/read-file.ts';
export { type UploadOptions, uploadFiles } from './client/upload.ts';
export { type Tree, type TreeFile, walkTree } from './client/walk.ts';
export type { Store } from './compose.ts';
export { type Config, readConfig } from './config.ts';
export { type ContentAddress, formatAddress, parseAddress } from './kernel/address.ts';
export { decodeCbor, encodeCbor } from './kernel/cbor.ts';
export { type Algorithm, createHasher, type Hasher } from './kernel/digest.ts';
export { ArtifactstoreError, type ErrorCode, errorCodes, isArtifactstoreError } from './kernel/error.ts';
export type { EventPayloads, EventType } from './kernel/event.ts';
export { canonicalJson, type JsonObject, type JsonValue, parseJson } from './kernel/json.ts';
export type { Manifest, ManifestFile, StorageReceipt } from './kernel/manifest.ts';
export { parseRelativePath, type RelativePath } from './kernel/path.ts';
export { type OpenRegistryOptions, openRegistry } from './open-registry.ts';
export type * from './registry/operator.ts';
export type * from './registry/REGISTRY.ts';
export { version } from './version.ts';

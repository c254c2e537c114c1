// The public names; test/public-api.test.ts holds the list. What an author of a backend or of a dialect needs besides,
// the doors and their suites, are the subpaths of `exports` in package.json.

export type { BearerSource } from './client/bearer/BEARER.ts';
export { type GitHubJob, tokenFromGitHubActions } from './client/bearer/github-actions.ts';
export { type GitLabJob, tokenFromGitLabJob } from './client/bearer/gitlab-ci.ts';
export type { Token } from './client/bearer/token.ts';
export { tokenFromFile } from './client/bearer/token-file.ts';
export { type ConnectOptions, connectRegistry, type RemoteRegistry } from './client/connect.ts';
export { type Placed, type PlaceOptions, placeFiles } from './client/pull/place-files.ts';
export { type Pulled, type PullOptions, pullPackage } from './client/pull/pull-package.ts';
export { type PackageLeft, type Pushed, type PushOptions, pushDirectory } from './client/push/push-directory.ts';
export type { OptionNames, TransferOptions } from './client/transfer-options.ts';
export { type Difference, describeDifference, differenceOf, packageFiles } from './client/tree/difference.ts';
export { type FileContent, filesDigestOf, type HashedFile, hashFile } from './client/tree/read-file.ts';
export { type Tree, type TreeFile, walkTree } from './client/tree/walk.ts';
export { type UploadOptions, uploadFiles } from './client/upload.ts';
export type { Finding, Problem } from './client/verify/finding.ts';
export type { KnownManifest } from './client/verify/known-manifest.ts';
export { type Verification, type VerifyOptions, verifyPackage } from './client/verify/verify-package.ts';
export type { CommandContext, CommandDefinition, CommandEntry, CommandOutput, CommandTable } from './command.ts';
export { type OpenRegistryOptions, openRegistry } from './compose/open-registry.ts';
export type { Store } from './compose/open-store.ts';
export { type Config, type PlatformIdentity, readConfig } from './config/config.ts';
export type { Grant, ProducerPattern, Quota, Role, WhoAmI } from './kernel/access.ts';
export { type ContentAddress, formatAddress, parseAddress } from './kernel/content/address.ts';
export { type Algorithm, createHasher, type Hasher } from './kernel/content/digest.ts';
export { parseRelativePath, type RelativePath } from './kernel/content/path.ts';
export { ArtifactstoreError, type ErrorCode, errorCodes, isArtifactstoreError } from './kernel/error.ts';
export { decodeCbor, encodeCbor } from './kernel/format/cbor.ts';
export { canonicalJson, type JsonObject, type JsonValue, parseJson } from './kernel/format/json.ts';
export type { EventPayloads, EventType } from './kernel/log/event.ts';
export { type Manifest, type ManifestFile, parseManifest, type StorageReceipt } from './kernel/manifest.ts';
export type * from './registry/REGISTRY.ts';
export type * from './registry/upkeep/OPERATOR.ts';
export type { BackendConfig, BackendKind } from './storage/kind.ts';
export { backendKinds } from './storage/kinds.ts';
export { version } from './version.ts';

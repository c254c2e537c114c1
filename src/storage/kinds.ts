import type { BackendKind } from './kind.ts';
import { localKind } from './local/kind.ts';
import { s3Kind } from './s3/kind.ts';

/** One row for each kind of backend. */
export const backendKinds: readonly BackendKind[] = [localKind, s3Kind];

import type { Database } from '../database/DATABASE.ts';
import type { DataPlane } from '../dataplane/DATAPLANE.ts';
import type { RetentionClass } from '../kernel/retention.ts';
import { createEvents } from './events.ts';
import { createFiles } from './files.ts';
import { readHealth } from './health.ts';
import { createMetadataSchemas } from './metadata-schemas.ts';
import { createMetadataValidator, type MetadataValidator } from './metadata-validation.ts';
import type { RegistryOperations } from './operations/operations.ts';
import { createOperator } from './operator.ts';
import { createPackages } from './packages.ts';
import type { Operator, Registry } from './REGISTRY.ts';

/** What a registry is made of. */
export interface RegistryParts {
  readonly database: Database<RegistryOperations>;
  readonly dataplane: DataPlane;
  readonly defaultBackend: string;
  /** The backend that the bytes of a package go to. */
  routeBackend(producer: string, retentionClass: string): string;
  readonly retentionClasses: readonly RetentionClass[];
  readonly version: string;
  readonly backendIds: readonly string[];
  /** After this long without a change, a package that nobody finalized is given up. */
  readonly unfinalizedSeconds: number;
  /** Milliseconds since the epoch. */
  now(): number;
  /** A new UUIDv7. */
  newId(): string;
  /** Told of what a caller is not told in full: bytes found bad, clean-up that failed. For the log. */
  onIncident(incident: Incident): void;
}

export interface Incident {
  readonly message: string;
  readonly error: unknown;
  readonly detail?: Readonly<Record<string, unknown>>;
}

/** The registry in process: one for each actor, over shared parts; and the operator's, which has no actor of its own. */
export interface LocalRegistry {
  as(actor: string): Registry;
  readonly operator: Operator;
  /** Waits for clean-up that goes on after its caller was answered. */
  settle(): Promise<void>;
}

/** The parts as the facets see them. */
export interface Context extends RegistryParts {
  readonly validator: MetadataValidator;
  /** Lets clean-up go on after the caller was answered; failures are incidents. */
  background(what: string, work: Promise<unknown>): void;
}

export function createRegistry(parts: RegistryParts): LocalRegistry {
  const pending = new Set<Promise<unknown>>();
  const context: Context = {
    ...parts,
    validator: createMetadataValidator(),
    background(what, work) {
      const settled = work.catch((error: unknown) => parts.onIncident({ message: what, error })).finally(() => pending.delete(settled));
      pending.add(settled);
    },
  };
  return {
    as(actor) {
      return {
        packages: createPackages(context, actor),
        files: createFiles(context, actor),
        events: createEvents(context),
        metadataSchemas: createMetadataSchemas(context, actor),
        retention: {
          async classes() {
            return parts.retentionClasses.map(({ slug, default_duration_seconds }) => ({ slug, default_duration_seconds }));
          },
        },
        health: () => readHealth(context),
      };
    },
    operator: createOperator(context),
    async settle() {
      await Promise.all(pending);
    },
  };
}

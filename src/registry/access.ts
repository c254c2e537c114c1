import { allows, type Principal, type Right, type Scope, scopeOf, scopeTest } from '../kernel/access.ts';
import { ArtifactstoreError } from '../kernel/error.ts';

/**
 * What a principal may do here, asked before anything is done. What it may not read does not exist for it: it is
 * answered as what is not there. What it may read but not change is `forbidden`, with the missing right named.
 */
export interface Access {
  readonly actor: string;
  /** The producers whose packages it may read. */
  readonly reads: Scope;
  /** Those that it may write to. */
  readonly writes: Scope;
  /** Whether it has the right `administer`. */
  readonly administers: boolean;
  /** Whether it has the right `observe`. */
  readonly observes: boolean;
  sees(producer: string): boolean;
  /** Of any package, whoever may see it. */
  readonly producerOf: ProducerOf;
  /** Whether there is such a package for it. */
  seesPackage(packageId: string): Promise<boolean>;
  /** Errors: `package_not_found`, `forbidden`. */
  requirePackage(packageId: string, right: Right): Promise<void>;
  /** Errors: `forbidden`. Without a producer: what is about none. */
  require(right: Right, producer?: string): void;
  /** For what is no producer's yet: the right to write to any will do. Errors: `forbidden`. */
  requireSomeWrite(): void;
  /** A metadata schema is a writer's whose producer, followed by a dot, begins its slug; `administer` has them all. */
  requireSchema(slug: string): void;
}

/** The producer of a package, which never changes; undefined when there is no such package. */
export type ProducerOf = (packageId: string) => Promise<string | undefined>;

/** Packages whose producer is remembered. */
const keptPackages = 10_000;

/** The one read that is needed for it. */
export interface ProducerReads {
  read(name: 'package.producer', input: { readonly id: string }): Promise<string | undefined>;
}

/** What is remembered is shared; who does not know it reads in its own turn. */
export function createProducerOf(): (database: ProducerReads) => ProducerOf {
  const kept = new Map<string, string>();
  return ({ read }) =>
    async (packageId) => {
      const known = kept.get(packageId);
      if (known !== undefined) return known;
      const producer = await read('package.producer', { id: packageId });
      if (producer === undefined) return undefined;
      if (kept.size >= keptPackages) kept.delete(kept.keys().next().value!);
      kept.set(packageId, producer);
      return producer;
    };
}

export function createAccess(principal: Principal, producerOf: ProducerOf): Access {
  const { actor } = principal;
  const reads = scopeOf(principal, 'read');
  const sees = scopeTest(reads);

  function missing(right: Right, producer?: string): ArtifactstoreError {
    const what = producer === undefined ? 'do this' : `do this for the producer "${producer}"`;
    return new ArtifactstoreError('forbidden', `${actor} may not ${what}: the right "${right}" is missing.`, {
      info: { right, ...(producer === undefined ? {} : { producer }) },
    });
  }

  return {
    actor,
    reads,
    writes: scopeOf(principal, 'write'),
    administers: allows(principal, 'administer'),
    observes: allows(principal, 'observe'),
    sees,
    producerOf,
    async seesPackage(packageId) {
      if (reads === 'everything') return true;
      const producer = await producerOf(packageId);
      return producer !== undefined && sees(producer);
    },
    async requirePackage(packageId, right) {
      // Whether it is there, the act itself finds out.
      if (reads === 'everything' && scopeOf(principal, right) === 'everything') return;
      const producer = await producerOf(packageId);
      if (producer === undefined || !sees(producer)) throw noPackage(packageId);
      if (!allows(principal, right, producer)) throw missing(right, producer);
    },
    require(right, producer) {
      if (!allows(principal, right, producer)) throw missing(right, producer);
    },
    requireSomeWrite() {
      if (scopeOf(principal, 'write').length === 0) throw missing('write');
    },
    requireSchema(slug) {
      if (allows(principal, 'administer')) return;
      const dots = Array.from(slug.matchAll(/\./g), ({ index }) => index);
      if (dots.some((dot) => allows(principal, 'write', slug.slice(0, dot)))) return;
      throw new ArtifactstoreError(
        'forbidden',
        `${actor} may register metadata schemas only whose slug begins with one of its producers and a dot; "${slug}" does not.`,
        { field: 'slug', info: { right: 'administer' } },
      );
    },
  };
}

export function noPackage(packageId: string): ArtifactstoreError {
  return new ArtifactstoreError('package_not_found', `There is no package ${packageId}.`, { field: 'package_id' });
}

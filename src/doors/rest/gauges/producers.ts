import { Gauge, type Registry as MetricsRegistry } from 'prom-client';
import type { ProducerRecord, Producers } from '../../../registry/REGISTRY.ts';

/** So many have series of their own at most, the first by name. */
const shownProducers = 1_000;
/** A page is one look into an index, and everybody who has a package is in it. */
const lookedPages = 20;

/** What Prometheus reads of the producers that have a quota; every process sees the same. */
export function createProducerGauges(register: MetricsRegistry): (producers: readonly ProducerRecord[]) => void {
  const gauge = (name: string, help: string) => new Gauge({ name, help, labelNames: ['producer'], registers: [register] });
  const packages = gauge('artifactstore_producer_packages', 'Packages that are neither collected nor abandoned, where there is a quota.');
  const bytes = gauge('artifactstore_producer_bytes', 'Logical bytes of these packages, where there is a quota.');
  const mostPackages = gauge('artifactstore_producer_quota_packages', 'How many packages the producer may have.');
  const mostBytes = gauge('artifactstore_producer_quota_bytes', 'How many logical bytes the producer may have.');
  return (producers) => {
    // A quota that was taken away is no longer shown.
    for (const each of [packages, bytes, mostPackages, mostBytes]) each.reset();
    for (const { producer, ...of } of producers) {
      packages.set({ producer }, of.packages);
      bytes.set({ producer }, of.bytes);
      if (of.maximum_packages !== null) mostPackages.set({ producer }, of.maximum_packages);
      if (of.maximum_bytes !== null) mostBytes.set({ producer }, of.maximum_bytes);
    }
  };
}

/** Those that have a quota. */
export async function producersWithQuota(producers: Producers): Promise<readonly ProducerRecord[]> {
  const found: ProducerRecord[] = [];
  let cursor: string | null = null;
  for (let page = 0; page < lookedPages && found.length < shownProducers; page++) {
    const { items, next_cursor }: Awaited<ReturnType<Producers['list']>> = await producers.list({
      limit: 1_000,
      ...(cursor === null ? {} : { cursor }),
    });
    found.push(...items.filter(({ maximum_packages, maximum_bytes }) => maximum_packages !== null || maximum_bytes !== null));
    cursor = next_cursor;
    if (cursor === null) break;
  }
  return found.slice(0, shownProducers);
}

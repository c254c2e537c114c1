import { Gauge, type Registry as MetricsRegistry } from 'prom-client';
import type { Usage } from '../../../registry/REGISTRY.ts';

/** What Prometheus reads of how full the registry is; every process sees the same. */
export function createUsageGauges(register: MetricsRegistry): (usage: Usage) => void {
  const registers = [register];
  const gauge = <L extends string>(name: string, help: string, labelNames: readonly L[]) =>
    new Gauge({ name, help, labelNames, registers });
  const packages = gauge('artifactstore_packages', 'Packages by status.', ['status']);
  const logical = gauge('artifactstore_logical_bytes', 'Bytes of the files of packages, by status; equal bytes count for each.', [
    'status',
  ]);
  const stored = gauge('artifactstore_stored_bytes', 'Bytes that the log says lie in a backend.', ['backend_id']);
  const reclaimable = gauge('artifactstore_reclaimable_bytes', 'Bytes in a backend that a collection would free now.', ['backend_id']);
  const uploads = gauge('artifactstore_open_uploads', 'Resumable uploads that are not finished.', ['backend_id']);
  const uploaded = gauge('artifactstore_open_upload_bytes', 'What came of these uploads.', ['backend_id']);
  const sessions = gauge('artifactstore_open_write_sessions', 'Write sessions that are not committed.', ['backend_id']);
  const announced = gauge('artifactstore_open_write_session_bytes', 'What these sessions announced.', ['backend_id']);
  const free = gauge('artifactstore_backend_free_bytes', 'Room that is left, where the backend knows.', ['backend_id']);
  const total = gauge('artifactstore_backend_total_bytes', 'Room in all, where the backend knows.', ['backend_id']);
  const ended = gauge('artifactstore_last_run_timestamp_seconds', 'When maintenance last came to its end.', ['kind', 'backend_id']);

  return (usage) => {
    for (const [status, counts] of Object.entries(usage.packages)) {
      packages.set({ status }, counts.packages);
      logical.set({ status }, counts.bytes);
    }
    const runs = [
      ['sweep', '', usage.last_sweep],
      ['collection', '', usage.last_collection],
      ['backup', '', usage.last_backup],
      ...usage.backends.map(({ backend_id, last_verification }) => ['verification', backend_id, last_verification] as const),
    ] as const;
    for (const [kind, backend_id, run] of runs) if (run !== null) ended.set({ kind, backend_id }, Date.parse(run.finished_at) / 1000);
    for (const {
      backend_id,
      stored_bytes,
      reclaimable_bytes,
      open_uploads,
      open_upload_bytes,
      open_write_sessions,
      open_write_session_bytes,
      free_bytes,
      total_bytes,
    } of usage.backends) {
      stored.set({ backend_id }, stored_bytes);
      reclaimable.set({ backend_id }, reclaimable_bytes);
      uploads.set({ backend_id }, open_uploads);
      uploaded.set({ backend_id }, open_upload_bytes);
      sessions.set({ backend_id }, open_write_sessions);
      announced.set({ backend_id }, open_write_session_bytes);
      if (free_bytes !== null) free.set({ backend_id }, free_bytes);
      if (total_bytes !== null) total.set({ backend_id }, total_bytes);
    }
  };
}

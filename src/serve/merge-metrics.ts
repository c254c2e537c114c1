import cluster from 'node:cluster';
import { randomUUID } from 'node:crypto';
import { droppedLinesText } from '../http/metrics.ts';

/** What the processes of one server tell each other so that any of them can show the metrics of all. */
type Message =
  | { readonly kind: 'metrics-wanted'; readonly id: string }
  | { readonly kind: 'metrics'; readonly id: string; readonly text: string }
  | { readonly kind: 'metrics-of-all'; readonly id: string; readonly texts: readonly string[] };

interface Rendering {
  render(): Promise<string>;
}

/** In a worker: shows the sum of all workers' metrics, and tells the others its own. */
export interface SharedMetrics {
  renderMetrics(own: Rendering): Promise<string>;
  /** From here on the others are answered. */
  share(metrics: Rendering): void;
}

const patienceMilliseconds = 2000;

export function createSharedMetrics(): SharedMetrics {
  let askedForOwn = false;
  return {
    async renderMetrics(own) {
      const texts = askedForOwn ? [] : await textsOfAll();
      return texts.length === 0 ? await own.render() : mergeMetrics(texts);
    },
    share(metrics) {
      process.on('message', (message: Message) => {
        if (message.kind !== 'metrics-wanted') return;
        // The server's metrics come back to `renderMetrics` before `render` returns; this tells it that its own are
        // wanted.
        askedForOwn = true;
        const rendering = metrics.render();
        askedForOwn = false;
        void rendering.then((text) => send({ kind: 'metrics', id: message.id, text }));
      });
    },
  };
}

/** In the primary: collects what all workers count for the one that asks, with the lines that its own log has lost. */
export function answerMetrics(droppedLogLines: () => number): void {
  cluster.on('message', (asker, message: Message) => {
    if (message.kind !== 'metrics-wanted') return;
    const workers = Object.values(cluster.workers ?? {}).filter((worker) => worker?.isConnected() === true);
    const texts: string[] = [];
    const finish = (): void => {
      clearTimeout(timer);
      cluster.off('message', collect);
      if (texts.length > 0) texts.push(droppedLinesText(droppedLogLines()));
      if (asker.isConnected()) asker.send({ kind: 'metrics-of-all', id: message.id, texts } satisfies Message);
    };
    const collect = (_worker: unknown, answer: Message): void => {
      if (answer.kind !== 'metrics' || answer.id !== message.id) return;
      texts.push(answer.text);
      if (texts.length === workers.length) finish();
    };
    const timer = setTimeout(finish, patienceMilliseconds / 2);
    cluster.on('message', collect);
    for (const worker of workers) worker?.send({ kind: 'metrics-wanted', id: message.id } satisfies Message);
  });
}

/**
 * Adds up texts of the Prometheus format, series by series: what each process counts is summed, and of what all of them
 * see of the one store the largest is taken.
 */
export function mergeMetrics(texts: readonly string[]): string {
  const families = new Map<string, { readonly comments: Set<string>; readonly series: Map<string, number> }>();
  for (const text of texts) {
    let family = { comments: new Set<string>(), series: new Map<string, number>() };
    for (const line of text.split('\n')) {
      const comment = /^# (?:HELP|TYPE) (\S+)/.exec(line);
      const series = /^(\S[^{]*?(?:\{.*\})?) (\S+)$/.exec(line);
      if (comment !== null) {
        const name = comment[1]!;
        family = families.get(name) ?? { comments: new Set(), series: new Map() };
        families.set(name, family);
        family.comments.add(line);
      } else if (series !== null) {
        const [, name = '', value] = series;
        const before = family.series.get(name);
        const sum = before === undefined ? Number(value) : seenByAll.test(name) ? Math.max(before, Number(value)) : before + Number(value);
        family.series.set(name, sum);
      }
    }
  }
  const shown = [...families.values()].map(({ comments, series }) =>
    [...comments, ...[...series].map(([name, value]) => `${name} ${value}`)].join('\n'),
  );
  return `${shown.join('\n\n')}\n`;
}

const seenByAll =
  /^(?:artifactstore_(?:last_sequence|clock_in_doubt|failed_locations|held_(?:objects|bytes)|backend_(?:healthy|free_bytes|total_bytes|keys_unread_seconds)|producer_(?:quota_)?(?:packages|bytes)|packages|(?:logical|stored|reclaimable|open_upload|open_write_session)_bytes|open_(?:uploads|write_sessions)|last_run_timestamp_seconds)|nodejs_version_info|process_start_time_seconds)\b/;

function textsOfAll(): Promise<readonly string[]> {
  const id = randomUUID();
  return new Promise((resolve) => {
    const done = (texts: readonly string[]): void => {
      clearTimeout(timer);
      process.off('message', onMessage);
      resolve(texts);
    };
    const onMessage = (message: Message): void => {
      if (message.kind === 'metrics-of-all' && message.id === id) done(message.texts);
    };
    const timer = setTimeout(done, patienceMilliseconds, []);
    process.on('message', onMessage);
    send({ kind: 'metrics-wanted', id });
  });
}

function send(message: Message): void {
  process.send?.(message);
}

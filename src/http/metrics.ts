import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry as MetricsRegistry } from 'prom-client';

/** What one server counts of connections and requests, as Prometheus reads it. Each server has its own. */
export interface HttpMetrics {
  /** Marks the start of a request and returns what marks its end. */
  begin(): (outcome: RequestOutcome) => void;
  /** Counts that a limit was met. */
  limited(limit: string): void;
  /** Shows these limits even before they are met. */
  know(limits: readonly string[]): void;
  /** Where doors add what they show. */
  readonly register: MetricsRegistry;
}

export interface RequestOutcome {
  /** The route's pattern, never the path itself: the number of series stays bounded. */
  readonly route: string;
  readonly method: string;
  readonly status: number;
  readonly seconds: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
}

const droppedLines = { name: 'artifactstore_log_lines_dropped_total', help: 'Lines of the log that could not be written.' };

/** The same, of a process that has no metrics beside it. */
export function droppedLinesText(count: number): string {
  const { name, help } = droppedLines;
  return `# HELP ${name} ${help}\n# TYPE ${name} counter\n${name} ${count}`;
}

export function createHttpMetrics(droppedLogLines: () => number): HttpMetrics {
  const register = new MetricsRegistry();
  collectDefaultMetrics({ register });
  const registers = [register];
  const requests = new Counter({
    name: 'artifactstore_http_requests_total',
    help: 'HTTP requests answered.',
    labelNames: ['route', 'method', 'status'],
    registers,
  });
  const seconds = new Histogram({
    name: 'artifactstore_http_request_duration_seconds',
    help: 'From the headers of a request to the end of its answer.',
    labelNames: ['route', 'method'],
    buckets: [0.001, 0.005, 0.025, 0.1, 0.5, 2.5, 10, 60, 600],
    registers,
  });
  // Counted in numbers of our own, of which each request changes three.
  let [bytesIn, bytesOut, inFlight] = [0, 0, 0];
  const counted = (described: { readonly name: string; readonly help: string }, count: () => number): void =>
    void new Counter({
      ...described,
      registers,
      collect() {
        this.reset();
        this.inc(count());
      },
    });
  counted({ name: 'artifactstore_http_received_bytes_total', help: 'Bytes of request bodies read.' }, () => bytesIn);
  counted({ name: 'artifactstore_http_sent_bytes_total', help: 'Bytes of answers written.' }, () => bytesOut);
  new Gauge({
    name: 'artifactstore_http_requests_in_flight',
    help: 'HTTP requests being answered.',
    registers,
    collect() {
      this.set(inFlight);
    },
  });
  counted(droppedLines, droppedLogLines);

  const limits = new Counter({
    name: 'artifactstore_http_limits_total',
    help: 'How often a limit was met (docs/limits.md).',
    labelNames: ['limit'],
    registers,
  });

  // One look-up of the labels for each route and status instead of one for each request.
  const children = new Map<string, { readonly count: Counter.Internal; readonly time: Histogram.Internal<'route' | 'method'> }>();

  return {
    begin() {
      inFlight += 1;
      return (outcome) => {
        inFlight -= 1;
        const key = `${outcome.method} ${outcome.status} ${outcome.route}`;
        let child = children.get(key);
        if (child === undefined) {
          const { route, method } = outcome;
          child = { count: requests.labels({ route, method, status: outcome.status }), time: seconds.labels({ route, method }) };
          children.set(key, child);
        }
        child.count.inc();
        child.time.observe(outcome.seconds);
        bytesIn += outcome.bytesIn;
        bytesOut += outcome.bytesOut;
      };
    },
    limited: (limit) => limits.inc({ limit }),
    know: (names) => {
      for (const limit of names) limits.inc({ limit }, 0);
    },
    register,
  };
}

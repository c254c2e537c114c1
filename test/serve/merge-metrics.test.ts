import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mergeMetrics } from '../../src/serve/merge-metrics.ts';

test('metrics of several processes add up, and what all see of one store does not', () => {
  const text = (requests: number, sequence: number, more = '') =>
    `# HELP http_total Requests.\n# TYPE http_total counter\nhttp_total{route="/a{b}",status="200"} ${requests}\n${more}\n` +
    `# HELP artifactstore_last_sequence The last.\n# TYPE artifactstore_last_sequence gauge\nartifactstore_last_sequence ${sequence}\n`;
  assert.equal(
    mergeMetrics([text(2, 10), text(3.5, 12, 'http_total{route="/c",status="404"} 1')]),
    '# HELP http_total Requests.\n# TYPE http_total counter\nhttp_total{route="/a{b}",status="200"} 5.5\nhttp_total{route="/c",status="404"} 1\n\n' +
      '# HELP artifactstore_last_sequence The last.\n# TYPE artifactstore_last_sequence gauge\nartifactstore_last_sequence 12\n',
  );
});

import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { newRun, packagesOf, place } from './ingest-place.ts';

describe('guide-board ingest refuses, before anything is made,', () => {
  const json = (path: string, change: object) => (run: string) => {
    const value = JSON.parse(readFileSync(join(run, path), 'utf8'));
    writeFileSync(join(run, path), JSON.stringify({ ...value, ...change }));
  };
  const bad: readonly (readonly [what: string, spoil: (run: string) => void, code: number, message: RegExp])[] = [
    ['what is not there', (run) => rmSync(run, { recursive: true }), 2, /is not there/],
    [
      'a file',
      (run) => {
        rmSync(run, { recursive: true });
        writeFileSync(run, '');
      },
      2,
      /is not a directory/,
    ],
    [
      'what is no run',
      (run) => {
        rmSync(run, { recursive: true });
        mkdirSync(run);
        writeFileSync(join(run, 'a'), '');
      },
      2,
      /is not a run of guide-board: it has no sources\.lock\.json, no mappings\.json, /,
    ],
    [
      'malformed JSON, with its place',
      (run) => writeFileSync(join(run, 'mappings.json'), '{\n  "run_id": "x",\n  "mappings": [1 2]\n}\n'),
      2,
      /"mappings\.json": The JSON is malformed at line 3, column 18: /,
    ],
    [
      'sources that are none',
      (run) => writeFileSync(join(run, 'sources.lock.json'), '[]'),
      2,
      /"sources\.lock\.json" has no list of sources/,
    ],
    [
      'malformed evidence, with its place',
      (run) => writeFileSync(join(run, 'evidence/cmis-tck/ev-00001.json'), '{"id": "ev"'),
      2,
      /"evidence\/cmis-tck\/ev-00001\.json": The JSON is malformed at line 1, column 12: /,
    ],
    [
      'evidence with a result that there is not',
      json('evidence/cmis-tck/ev-00001.json', { result: 'passed' }),
      2,
      /"evidence\/cmis-tck\/ev-00001\.json" holds no evidence item: \/result must be equal to one of the allowed values \(pass, fail, /,
    ],
    [
      'evidence of another run',
      json('evidence/cmis-tck/ev-00001.json', { run_id: 'run-other' }),
      2,
      /"evidence\/cmis-tck\/ev-00001\.json" is evidence of the run "run-other", and this is "run-/,
    ],
    [
      'a run without its target profile',
      (run) => {
        for (const path of ['sources.lock.json', 'reports/assessment-package.json', 'reports/submission-package.json'])
          json(path, { target_profile_ref: undefined })(run);
      },
      2,
      /The run does not say its target_profile_ref: none of reports\/assessment-package\.json, /,
    ],
    [
      'documents that disagree',
      json('retention-summary.json', { run_id: 'run-other' }),
      2,
      /disagree on its run_id: "run-[^"]*" in reports\/assessment-package\.json, "run-other" in retention-summary\.json/,
    ],
    [
      'a run without a retention class',
      json('retention-summary.json', { retention_class: undefined }),
      2,
      /does not say its retention class[\s\S]*choose one with --retention-class/,
    ],
    ['an unknown retention class', json('retention-summary.json', { retention_class: 'eternal' }), 2, /"eternal"; there are /],
    [
      'metadata that does not match the schema',
      json('sources.lock.json', { sources: [{ slug: 'guide-board', commit: 'HEAD' }] }),
      2,
      /The metadata does not fit the schema "guide-board\.run\.v1": \/source_commits\/guide-board /,
    ],
    ['a link out of the tree', (run) => symlinkSync('/etc/hostname', join(run, 'raw/host')), 2, /"raw\/host" is a symbolic link/],
  ];
  for (const [what, spoil, code, message] of bad)
    test(what, async () => {
      const run = newRun();
      spoil(run.path);
      const result = await place.run('guide-board', 'ingest', run.path);
      assert.match(result.stderr, message);
      assert.deepEqual([result.code, result.stdout], [code, '']);
      assert.deepEqual(await packagesOf(run.id), []);
    });
});

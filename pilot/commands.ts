import type { CommandTable } from 'artifactstore';
import type { Tools } from './tools.ts';

/** The pilots' commands, for the command line to add. What they are made of is loaded when one is called. */
export function commands(load: () => Promise<Tools>): CommandTable {
  return {
    'guide-board': {
      summary: 'keep runs of guide-board',
      commands: {
        ingest: {
          summary: 'send a run and seal it, once for each run',
          load: async () => (await import('./guide-board/ingest.ts')).guideBoardIngest(await load()),
        },
        link: {
          summary: 'tell State Hub where a run is kept, once for each package',
          load: async () => (await import('./guide-board/link.ts')).guideBoardLink(await load()),
        },
      },
    },
    'test-report': {
      summary: 'keep test results',
      commands: {
        ingest: {
          summary: 'send a directory of JUnit XML and coverage and seal it, once for each build',
          load: async () => (await import('./test-report/ingest.ts')).testReportIngest(await load()),
        },
      },
    },
    sbom: {
      summary: 'keep bills of materials',
      commands: {
        ingest: {
          summary: 'send a CycloneDX bill with the log of its build and seal it, once for each bill',
          load: async () => (await import('./sbom/ingest.ts')).sbomIngest(await load()),
        },
      },
    },
  };
}

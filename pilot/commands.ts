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
  };
}

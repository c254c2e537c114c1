import type { CommandContext, CommandDefinition, Package } from 'artifactstore';
import { type Tools, type Work, withRegistry } from '../tools.ts';
import { linkRun } from './link-run.ts';

/** The run is kept, and State Hub does not know of it. */
export const linkMissing = 7;

export function guideBoardLink(tools: Tools): CommandDefinition {
  return (command, context) => {
    command
      .argument('<package_id>', 'the sealed package of a run')
      .addHelpText(
        'after',
        `
Sends what \`guide-board ingest\` could not. A link that State Hub has already
is not sent again.

Example:
  $ STATE_HUB_URL=http://127.0.0.1:8010 artifactstore guide-board link 01a1fa8d-e2f0-7f1e-9cff-1443cf9b7954`,
      )
      .action(async (packageId: string) => {
        await link(tools, context(), packageId);
      });
  };
}

async function link(tools: Tools, context: CommandContext, packageId: string): Promise<void> {
  const { library } = tools;
  await withRegistry(tools, context, async (work) => {
    const record = await work.registry.packages.get(packageId);
    if (record === undefined)
      throw new library.ArtifactstoreError('package_not_found', `There is no package ${packageId}.`, { field: 'package_id' });
    const outcome = await linkRun(work, record);
    const { output } = context;
    if (output.json) output.value({ package_id: record.id, manifest_digest: record.manifest_digest, reused_existing: outcome === 'found' });
    else output.line(outcome === 'found' ? `State Hub has the link of package ${record.id} already` : `linked package ${record.id}`);
  });
}

/** Links a run that was just sealed. A link that fails does not undo that: it is said, with how to send it later. */
export async function linkIngested(work: Work, packageId: string): Promise<void> {
  const { context, registry } = work;
  const { library } = work.tools;
  try {
    const record = (await registry.packages.get(packageId)) as Package;
    if ((await linkRun(work, record)) === 'sent') context.output.note('State Hub has its link');
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    context.output.error(
      new library.ArtifactstoreError(
        library.isArtifactstoreError(error) ? error.code : 'internal',
        `Package ${packageId} is sealed; only its link in State Hub is missing. ${reason}`,
        { info: { package_id: packageId, hint: `send it with \`artifactstore guide-board link ${packageId}\`` }, cause: error },
      ),
    );
    context.exitWith(linkMissing);
  }
}

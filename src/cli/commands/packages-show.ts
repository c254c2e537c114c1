import { ArtifactstoreError } from '../../kernel/error.ts';
import { parseId } from '../../kernel/id.ts';
import { connect } from '../connect.ts';
import type { Definition } from '../definition.ts';

export const packagesShow: Definition = (command, context) => {
  command
    .argument('<package_id>', 'the package')
    .addHelpText('after', '\nExample:\n  $ artifactstore packages show 0198c0de-5a1e-7000-8000-000000000001 --json')
    .action(async (packageId: string) => {
      parseId(packageId, 'package_id');
      const given = context();
      const { output } = given;
      await using registry = connect(given);
      const record = await registry.packages.get(packageId);
      if (record === undefined) throw new ArtifactstoreError('package_not_found', `There is no package ${packageId}.`);
      if (output.json) return output.value(record);
      const width = Math.max(...Object.keys(record).map((key) => key.length));
      for (const [key, value] of Object.entries(record))
        output.line(`${output.colors.dim(key.padEnd(width))}  ${typeof value === 'string' ? value : JSON.stringify(value)}`);
    });
};

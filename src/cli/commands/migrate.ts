import type { Definition } from '../definition.ts';

export const migrate: Definition = (command, context) => {
  command
    .addHelpText('after', '\nWorks on the database directly. Doing it again does nothing.\n\nExample:\n  $ artifactstore migrate')
    .action(async () => {
      const { config, output, openStore } = context();
      await using store = await openStore(config, { parts: 'database' });
      const applied = await store.operator.migrate();
      if (output.json) output.value({ applied });
      else if (applied.length === 0) output.line('the schema is up to date');
      else for (const name of applied) output.line(`applied ${name}`);
    });
};

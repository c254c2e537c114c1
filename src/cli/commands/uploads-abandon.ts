import { parseId } from '../../kernel/id.ts';
import type { Definition } from '../definition.ts';
import { incidentText } from '../terminal/incident-text.ts';

export const uploadsAbandon: Definition = (command, context) => {
  command
    .argument('<upload_id>', 'the upload')
    .addHelpText(
      'after',
      `
Works on the database and the store directly, beside running servers or without
any. Whoever still adds to the upload is refused; what came of it is deleted.

Example:
  $ artifactstore uploads abandon 0198c0de-5a1e-7000-8000-000000000001`,
    )
    .action(async (id: string) => {
      const uploadId = parseId(id, 'upload_id');
      const { config, output, openStore } = context();
      await using store = await openStore(config, { onIncident: (incident) => output.warn(incidentText(incident)) });
      await store.operator.abandonUpload(uploadId);
      if (output.json) output.value({ upload_id: uploadId, state: 'abandoned' });
      else output.line(`${output.colors.green('abandoned')} upload ${uploadId}`);
    });
};

import { resolve } from 'node:path';
import { saveManifest } from '../../client/manifest-file.ts';
import { sealedManifest } from '../../client/sealed-manifest.ts';
import { canonicalJson } from '../../kernel/format/json.ts';
import { connect } from '../connect.ts';
import type { Definition } from '../definition.ts';

export const manifest: Definition = (command, context) => {
  command
    .argument('<package_id>', 'a sealed package')
    .option('--output <file>', 'save it: as JSON when the name ends in .json, else as canonical CBOR')
    .addHelpText(
      'after',
      `
Prints the whole manifest as canonical JSON (RFC 8785), on one line, with --json
and without.

Examples:
  $ artifactstore manifest 0198c0de-5a1e-7000-8000-000000000001 | jq '.files[].relative_path'
  $ artifactstore manifest 0198c0de-5a1e-7000-8000-000000000001 --output results.manifest.cbor`,
    )
    .action(async (packageId: string, options: { readonly output?: string }) => {
      const given = context();
      await using registry = connect(given);
      const read = await sealedManifest(registry, packageId);
      if (options.output === undefined) given.output.text(`${canonicalJson(read.manifest)}\n`);
      else {
        saveManifest(resolve(given.directory, options.output), read);
        given.output.note(`saved ${read.digest} to ${options.output}`);
      }
    });
};

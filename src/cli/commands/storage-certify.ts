import { InvalidArgumentError, Option } from 'commander';
import { type Certificate, type Family, families } from '../../certify/certificate.ts';
import { stopOnSignal } from '../../runtime/stop-signals.ts';
import type { CertifyPlace, Context } from '../context.ts';
import type { Definition } from '../definition.ts';
import { exitCode } from '../exit.ts';
import { certificateLines, certificateMarkdown, resultSigns } from '../terminal/certificate.ts';
import { createProgressLine } from '../terminal/progress-line.ts';

export const storageCertify: Definition = (command, context) => {
  command
    .option('--markdown', 'print a table for documents')
    .addOption(new Option('--save', 'keep the result where the backend looks for it').conflicts('endpoint'))
    .addOption(
      new Option('--family <name>', 'only these probes; may be given several times')
        .choices(families)
        .argParser((name: string, before: readonly string[] = []) => {
          if (!(families as readonly string[]).includes(name))
            throw new InvalidArgumentError(`Allowed choices are ${families.join(', ')}.`);
          return [...before, name];
        }),
    )
    .addOption(new Option('--backend <id>', 'which of several configured S3 backends').conflicts('endpoint'))
    .option('--endpoint <url>', 'another store than the configured one')
    .option('--bucket <name>', 'with --endpoint: the bucket')
    .option('--region <name>', 'with --endpoint', 'us-east-1')
    .option('--key-prefix <prefix>', 'with --endpoint: write below it only', '')
    .option('--virtual-hosted', 'with --endpoint: the bucket is part of the host')
    .option('--access-key-ref <ref>', 'with --endpoint: env:NAME or file:/path')
    .option('--secret-key-ref <ref>', 'with --endpoint: env:NAME or file:/path')
    .option('--session-token-ref <ref>', 'with --endpoint: env:NAME or file:/path')
    .option('--owner-access-key-ref <ref>', "the bucket owner's keys, where others are used")
    .option('--owner-secret-key-ref <ref>', "the bucket owner's keys, where others are used")
    .option('--other-bucket <name>', 'a bucket that the keys must not reach')
    .addHelpText(
      'after',
      `
Writes below its own prefix and into its own buckets, and removes all of it,
also after Ctrl-C. A run moves about 100 MB. Ends with exit code 1 when the
store is not safe for registry storage; with --family, when one of these probes
fails, or keys that were asked for their reach reach too far. Keys are given by
reference only, never by value.

Examples:
  $ artifactstore storage certify
  $ artifactstore storage certify --backend cold --save
  $ artifactstore storage certify --save --other-bucket payroll
  $ artifactstore storage certify --family reach --other-bucket payroll
  $ artifactstore storage certify --endpoint https://s3.example.org --bucket trial \\
      --access-key-ref env:KEY --secret-key-ref env:SECRET`,
    )
    .action(async (options: StorageCertifyOptions) => {
      // It may be a key by mistake, which an argument's own check would repeat.
      for (const [name, value] of [
        ['--access-key-ref', options.accessKeyRef],
        ['--secret-key-ref', options.secretKeyRef],
        ['--session-token-ref', options.sessionTokenRef],
        ['--owner-access-key-ref', options.ownerAccessKeyRef],
        ['--owner-secret-key-ref', options.ownerSecretKeyRef],
      ] as const)
        if (value !== undefined && !reference.test(value))
          command.error(`error: option '${name}' must be env:NAME or file:/absolute/path; never the key itself`);
      if (options.endpoint !== undefined)
        for (const [name, value] of [
          ['--bucket', options.bucket],
          ['--access-key-ref', options.accessKeyRef],
          ['--secret-key-ref', options.secretKeyRef],
        ] as const)
          if (value === undefined) command.error(`error: option '--endpoint' needs '${name}' too`);
      if ((options.ownerAccessKeyRef === undefined) !== (options.ownerSecretKeyRef === undefined))
        command.error("error: options '--owner-access-key-ref' and '--owner-secret-key-ref' go together");
      await certifyStorage(context(), options);
    });
};

const reference = /^(env:[A-Za-z_][A-Za-z0-9_]*|file:\/.+)$/;

interface StorageCertifyOptions {
  readonly markdown?: boolean;
  readonly save?: boolean;
  readonly family?: readonly Family[];
  readonly backend?: string;
  readonly endpoint?: string;
  readonly bucket?: string;
  readonly region: string;
  readonly keyPrefix: string;
  readonly virtualHosted?: boolean;
  readonly accessKeyRef?: string;
  readonly secretKeyRef?: string;
  readonly sessionTokenRef?: string;
  readonly ownerAccessKeyRef?: string;
  readonly ownerSecretKeyRef?: string;
  readonly otherBucket?: string;
}

/**
 * Certifies a store and prints what came out. The exit code says whether it is safe for registry storage, or what was
 * asked of it holds.
 */
async function certifyStorage({ certify, config, output, environment, exitWith }: Context, options: StorageCertifyOptions): Promise<void> {
  using stop = stopOnSignal();
  using progress = createProgressLine(output);
  const place = placeOf(options);
  const { ownerAccessKeyRef, ownerSecretKeyRef, otherBucket, family, backend, save = false, markdown = false } = options;
  const show = (certificate: Certificate): void => {
    progress.clear();
    if (output.json) output.value(certificate);
    else if (markdown) for (const line of certificateMarkdown(certificate)) output.line(line);
    else for (const line of certificateLines(certificate, output.colors)) output.line(line);
    for (const each of certificate.leftovers) output.warn(`left in the store: ${each}`);
  };
  const { uses, probes, scope } = await certify(config, {
    environment,
    signal: stop.signal,
    save,
    onCertificate: show,
    onProbe: ({ id, result }, done, total) => progress.show(() => `${done} of ${total}: ${id} ${resultSigns[result]}`),
    ...(place === undefined ? {} : { place }),
    ...(backend === undefined ? {} : { backendId: backend }),
    ...(family === undefined ? {} : { families: family }),
    ...(otherBucket === undefined ? {} : { reach: { otherBucket } }),
    ...(ownerAccessKeyRef === undefined || ownerSecretKeyRef === undefined
      ? {}
      : { owner: { accessKeyRef: ownerAccessKeyRef, secretKeyRef: ownerSecretKeyRef, sessionTokenRef: undefined } }),
  });
  const registry = uses.find(({ use }) => use === 'registry')?.verdict;
  if (registry === 'safe' || registry === 'safe_with_precautions') return;
  const isWide = family?.includes('reach') === true && scope.verdict === 'too_wide';
  // Who asks for a part only can't prove the whole: then what was asked must hold.
  if (family !== undefined && registry === 'unproven' && !isWide && !probes.some(({ result }) => result === 'fail'))
    output.note('only a part was asked, and it holds; what the store is safe for takes a run without --family');
  else exitWith(exitCode.failed);
}

function placeOf(options: StorageCertifyOptions): CertifyPlace | undefined {
  const { endpoint, bucket, region, keyPrefix, accessKeyRef, secretKeyRef, sessionTokenRef } = options;
  if (endpoint === undefined || bucket === undefined || accessKeyRef === undefined || secretKeyRef === undefined) return undefined;
  return {
    endpointUrl: endpoint.replace(/\/+$/, ''),
    bucket,
    region,
    keyPrefix: keyPrefix.replace(/^\/+|\/+$/g, ''),
    forcePathStyle: options.virtualHosted !== true,
    credentials: { accessKeyRef, secretKeyRef, sessionTokenRef },
  };
}

import { ArtifactstoreError, type ErrorCode, isArtifactstoreError } from '../kernel/error.ts';
import { exitCode, exitCodes } from './exit.ts';

/**
 * Options by the field that a refusal names, whoever refuses: a JSON pointer of the body, a header, or what an option
 * is called itself.
 */
export type OptionFields = Readonly<Record<string, string>>;

const refusals: ReadonlySet<ErrorCode> = new Set(['malformed_request', 'malformed_json', 'invalid_header', 'invalid_value']);

/**
 * The refusal of something that came from an option says which one, and ends the command as a wrong option does. A
 * field below one that is named (`/metadata/build`), or one of those that begin with a name that ends in a dot
 * (`metadata.build`), is about the same option.
 */
export async function blameOption<T>(work: Promise<T>, options: OptionFields): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw blamed(error, options);
  }
}

/** The error as it is to be told: itself where no option is to blame. */
export function blamed(error: unknown, options: OptionFields): unknown {
  if (!isArtifactstoreError(error) || error.field === undefined) return error;
  const field = error.field.toLowerCase();
  const option = Object.entries(options).find(
    ([name]) => field === name || field.startsWith(`${name}/`) || (name.endsWith('.') && field.startsWith(name)),
  )?.[1];
  if (option === undefined) return error;
  const usage = exitCodes[error.code] === exitCode.usage;
  if (!usage && !refusals.has(error.code)) return error;
  return new ArtifactstoreError(usage ? error.code : 'invalid_value', `${option}: ${error.message}`, {
    field: option,
    ...(error.info === undefined ? {} : { info: error.info }),
    cause: error,
  });
}

import { isLonger } from '../../../src/kernel/format/text-rules.ts';
import { formatCount } from '../../format.ts';
import { newPackage as text } from '../../strings/new-package.ts';
import { type MetadataLine, readMetadata } from './metadata-lines.ts';

/** What a person has typed of a package that is to be made. */
export interface TypedPackage {
  readonly name: string;
  readonly producer: string;
  readonly subject: string;
}

export type PackageFaults = Readonly<Partial<Record<keyof TypedPackage | 'metadata', string>>>;

/** As the interface has it (docs/http.md). */
const longestText = 256;

/** What the server would refuse, told of every field at once: the server itself names the first one alone. */
export function packageFaults(typed: TypedPackage, lines: readonly MetadataLine[]): PackageFaults {
  const read = readMetadata(lines);
  const found: [string, string | undefined][] = [
    ['name', typed.name === '' ? text.noName : tooLong(typed.name)],
    ['producer', typed.producer === '' ? text.noProducer : tooLong(typed.producer)],
    ['subject', tooLong(typed.subject)],
    ['metadata', 'wrong' in read ? (read.wrong === 'no-key' ? text.valueWithoutKey : text.keyTwice(lines[read.line]!.key)) : undefined],
  ];
  return Object.fromEntries(found.filter(([, fault]) => fault !== undefined));
}

function tooLong(value: string): string | undefined {
  return isLonger(value, longestText) ? text.tooLong(formatCount(longestText)) : undefined;
}

import { childrenOf, type Element, numberOf } from './xml.ts';

export interface Lines {
  readonly lines: number;
  readonly covered: number;
}

/** From the root's attributes, or else line by line. */
export function linesOfCobertura(root: Element): Lines {
  const lines = numberOf(root, 'lines-valid');
  const covered = numberOf(root, 'lines-covered');
  if (lines !== undefined && covered !== undefined) return { lines, covered };
  const each = childrenOf(root, 'packages')
    .flatMap((packages) => childrenOf(packages, 'package'))
    .flatMap((one) => childrenOf(one, 'classes'))
    .flatMap((classes) => childrenOf(classes, 'class'))
    .flatMap((one) => childrenOf(one, 'lines'))
    .flatMap((list) => childrenOf(list, 'line'));
  return { lines: each.length, covered: each.filter((line) => (numberOf(line, 'hits') ?? 0) > 0).length };
}

/** Of all `LF` (lines found) and `LH` (lines hit) records. */
export function countLcov(text: string): Lines {
  const sum = (record: string): number =>
    [...text.matchAll(new RegExp(`^${record}:(\\d+)\\s*$`, 'gm'))].reduce((total, [, count]) => total + Number(count), 0);
  return { lines: sum('LF'), covered: sum('LH') };
}

/** The name of a phase's draft number `index`. */
export function draftName(phase: string, index: number): `${string}-${string}-${string}-${string}-${string}` {
  const digit = ['prepare', 'ingest', 'collect', 'verify', 'hold', 'fill', 'settle'].indexOf(phase) + 1;
  return `${digit}0000000-0000-4000-8000-${String(index).padStart(12, '0')}` as const;
}

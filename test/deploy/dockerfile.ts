/** One instruction of a Dockerfile, with its continued lines joined. */
export interface Instruction {
  readonly name: string;
  readonly text: string;
}

/** What lies between two `FROM`, and the name that it was given. */
export interface Stage {
  readonly name: string | undefined;
  readonly image: string;
  readonly instructions: readonly Instruction[];
}

/** The stages of a Dockerfile, in order; what comes before the first is left out. */
export function stagesOf(text: string): readonly Stage[] {
  const stages: { name: string | undefined; image: string; instructions: Instruction[] }[] = [];
  const lines = text.split('\n').filter((line) => !line.startsWith('#'));
  for (const line of lines.join('\n').replaceAll(/\\\n/g, ' ').split('\n')) {
    const [, name = '', rest = ''] = /^([A-Z]+) (.*)$/.exec(line.trim()) ?? [];
    if (name === 'FROM') {
      const [image = '', , as] = rest.split(/ +/);
      stages.push({ name: as, image, instructions: [] });
    } else if (name !== '') stages.at(-1)?.instructions.push({ name, text: rest.replaceAll(/ +/g, ' ') });
  }
  return stages;
}

/** The text of the last instruction of this name. */
export function lastOf(stage: Stage, name: string): string | undefined {
  return stage.instructions.findLast((each) => each.name === name)?.text;
}

/** The variables that a stage sets, without those of its image. */
export function environmentOf(stage: Stage): Readonly<Record<string, string>> {
  const pairs = stage.instructions
    .filter(({ name }) => name === 'ENV')
    .flatMap(({ text }) => [...text.matchAll(/([A-Za-z_]\w*)=(?:"([^"]*)"|(\S*))/g)]);
  return Object.fromEntries(pairs.map(([, name = '', quoted, plain = '']) => [name, quoted ?? plain]));
}

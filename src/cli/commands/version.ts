import type { Definition } from '../definition.ts';

export const version: Definition = (command, context) => {
  command.action(() => {
    const { output, version: text } = context();
    if (output.json) output.value({ version: text });
    else output.line(text);
  });
};

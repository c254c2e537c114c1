import { documentNames, type Pointer, readCurrent } from '../../../src/provider/documents.ts';
import type { Secrets } from '../../../src/secrets/SECRETS.ts';
import type { RotationPlace } from './rotation-place.ts';

export async function pointerOf({ secrets }: Pick<RotationPlace, 'secrets'>): Promise<Pointer> {
  return readCurrent((await secrets.get(documentNames.current))!.value);
}

/** The store, where something happens before the first write of the pointer. */
export function beforePointer({ secrets }: RotationPlace, act: () => Promise<unknown>): Secrets {
  const writer = secrets.writer!;
  let isOver = false;
  return {
    ...secrets,
    writer: {
      ...writer,
      async put(name, ...more) {
        if (name === documentNames.current && !isOver) {
          isOver = true;
          await act();
        }
        return await writer.put(name, ...more);
      },
    },
  };
}

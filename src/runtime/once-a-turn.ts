/**
 * Does a cheap look once for all who ask for it in one turn of the event loop, and after all of them have asked:
 * whoever asks gets what was true at a moment after the asking.
 */
export function onceATurn<T>(look: () => T): () => Promise<T> {
  let asked: Promise<T> | undefined;
  return () => {
    asked ??= new Promise((resolve, reject) =>
      setImmediate(() => {
        asked = undefined;
        try {
          resolve(look());
        } catch (error) {
          reject(error);
        }
      }),
    );
    return asked;
  };
}

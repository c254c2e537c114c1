/**
 * Values that are there for a short while, in no order. Where they come and go all the time, a `Map` or `Set` makes one
 * table after the other, and in V8 each knows the next: once an early one is old, all that was in the later ones stays
 * until a full collection, and every small one copies it.
 */
export interface Places<T> extends Iterable<T> {
  /** Until what it returns is called. */
  put(value: T): () => void;
}

export function createPlaces<T>(): Places<T> {
  const values: (T | undefined)[] = [];
  const free: number[] = [];
  return {
    put(value) {
      const place = free.pop() ?? values.length;
      values[place] = value;
      let left = false;
      return () => {
        if (left) return;
        left = true;
        values[place] = undefined;
        free.push(place);
      };
    },
    *[Symbol.iterator]() {
      for (const value of values) if (value !== undefined) yield value;
    },
  };
}

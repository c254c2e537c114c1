/** Things by key, of which those that were used last are kept: what is made for many is bounded by this. */
export interface Recent<Thing, Key = string> {
  /** The thing of this key, made where it is not kept. */
  get(key: Key, make: () => Thing): Thing;
}

/** Keeps up to `room` things. One that has to leave for another must be one that can be made again. */
export function keepRecent<Thing, Key = string>(room: number): Recent<Thing, Key> {
  /** In the order in which they were used. */
  const kept = new Map<Key, Thing>();
  let newest: Key | undefined;
  return {
    get(key, make) {
      const there = kept.get(key);
      if (there !== undefined && key === newest) return there;
      const thing = there === undefined ? make() : there;
      kept.delete(key);
      kept.set(key, thing);
      newest = key;
      if (kept.size > room) kept.delete(kept.keys().next().value!);
      return thing;
    },
  };
}

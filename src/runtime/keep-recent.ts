/** Things by name, of which those that were used last are kept: what is made for many is bounded by this. */
export interface Recent<Thing> {
  /** The thing of this name, made where it is not kept. */
  get(name: string, make: () => Thing): Thing;
}

/** Keeps up to `room` things. One that has to leave for another must be one that can be made again. */
export function keepRecent<Thing>(room: number): Recent<Thing> {
  /** In the order in which they were used. */
  const kept = new Map<string, Thing>();
  return {
    get(name, make) {
      const there = kept.get(name);
      const thing = there === undefined ? make() : there;
      kept.delete(name);
      kept.set(name, thing);
      if (kept.size > room) kept.delete(kept.keys().next().value!);
      return thing;
    },
  };
}

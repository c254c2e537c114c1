import { type Static, type TSchema, type TUnsafe, Type } from '#typebox';

/** Both types say the same: each is assignable to the other, with every optional member present as well. */
type Same<A, B> = [A] extends [B]
  ? [B] extends [A]
    ? [Whole<A>] extends [Whole<B>]
      ? [Whole<B>] extends [Whole<A>]
        ? true
        : false
      : false
    : false
  : false;
type Whole<T> = { readonly [K in keyof T]-?: T[K] };
/** Schemas give mutable types, records readonly ones. */
type Frozen<T> = T extends readonly (infer Item)[]
  ? readonly Frozen<Item>[]
  : T extends object
    ? { readonly [K in keyof T]: Frozen<T[K]> }
    : T;

/** A schema that says of a type what the type says of itself; another does not compile. */
export function describes<T>(): <S extends TSchema>(
  shape: S & (Same<Frozen<Static<S>>, Frozen<T>> extends true ? unknown : never),
) => TUnsafe<T> {
  return (shape) => Type.Unsafe<T>(shape);
}

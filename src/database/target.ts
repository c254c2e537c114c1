/** Where the log lives, as the configuration names it. */
export type DatabaseTarget =
  /** `path` is absolute. */
  | { readonly kind: 'sqlite'; readonly path: string }
  /** `url` starts with `postgresql://`. It may hold a password: never shown. */
  | { readonly kind: 'postgresql'; readonly url: string };

/** The databases that there are. Each has a folder here, and its words in the migrations (`migrations/dialect.ts`). */
export type Dialect = DatabaseTarget['kind'];

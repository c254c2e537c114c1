/** What Cosmo's own code found of a store. */
export interface CosmoCheck {
  readonly name: string;
  /** Which checks of `store probe --shape cosmo` answer for it. */
  readonly probed: readonly string[];
  readonly holds: boolean;
  readonly detail: string;
}

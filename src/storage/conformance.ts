import { describe, test } from 'node:test';
import type { Check } from './conformance/cases.ts';
import { draftCases } from './conformance/draft-cases.ts';
import { failureCases } from './conformance/failure-cases.ts';
import { listCases } from './conformance/list-cases.ts';
import { objectCases } from './conformance/object-cases.ts';
import { rangeCases } from './conformance/range-cases.ts';
import { replaceCases } from './conformance/replace-cases.ts';
import type { Storage } from './STORAGE.ts';

export interface OpenedStorage {
  readonly storage: Storage;
  close(): Promise<void>;
}

/**
 * What every backend must do, for `node --test`. `open` gives a backend that is empty and that nobody else uses; it is
 * called once for each case. An outside author calls this from a test file of their own.
 */
export function storageConformance(name: string, open: () => Promise<OpenedStorage>): void {
  const check: Check = (title, body) => {
    test(title, async (context) => {
      const { storage, close } = await open();
      try {
        await body(storage, context);
      } finally {
        await close();
      }
    });
  };

  describe(`storage: ${name}`, () => {
    objectCases(check);
    rangeCases(check);
    replaceCases(check);
    failureCases(check);
    listCases(check);
    draftCases(check);
  });
}

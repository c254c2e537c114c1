import { toHex } from '../../kernel/content/digest.ts';
import { chainStart, type LogHead } from '../../kernel/log/event.ts';
import type { Context } from '../context.ts';
import { settleAll } from '../objects/settler.ts';
import { abandonUpload, listUploads } from '../uploads/end.ts';
import { adoptStorage, claimStorage, planAdoption } from './adopt.ts';
import { startAutorun } from './autorun.ts';
import { backUp } from './backup.ts';
import { collect, planCollection, sweep } from './collect.ts';
import { move, planMove } from './move.ts';
import type { Operator } from './OPERATOR.ts';
import { findOrphans, verifyStorage } from './verify.ts';

const eventsPerStep = 2000;

export function createOperator(context: Context): Operator {
  const { database } = context;
  return {
    migrate: () => database.migrate(),
    replay: (onProgress) => database.replay(onProgress),
    acceptClock: () => context.clock.accept(),
    clockDoubt: () => context.clock.doubt(),
    sweep: (options = {}) => sweep(context, options),
    collect: (options = {}) => collect(context, options),
    planCollection: (options = {}) => planCollection(context, options),
    verifyStorage: (backendId, options = {}) => verifyStorage(context, backendId, options),
    move: (options) => move(context, options),
    planMove: (target) => planMove(context, target),
    listUploads: (query = {}) => listUploads(context, query, null, true),
    abandonUpload: (id) => abandonUpload(context, id, null),
    findOrphans: (backendId, options = {}) => findOrphans(context, backendId, options),
    backup: (directory, options = {}) => backUp(context, directory, options),
    claimStorage: () => claimStorage(context),
    planAdoption: (backendId, options = {}) => planAdoption(context, backendId, options),
    adoptStorage: (backendId) => adoptStorage(context, backendId),
    autorun: (options) => startAutorun(context, options),
    watchHeld: () => context.settler.watch(),
    settleHeld: () => settleAll(context),
    async verifyEvents(onProgress) {
      let head: LogHead = { sequence: 0, chain_digest: chainStart };
      for (;;) {
        const step = await database.read('event.verify', { head, limit: eventsPerStep });
        const verdict = { sequence: step.head.sequence, chain_digest: `blake3:${toHex(step.head.chain_digest)}` };
        if (step.reason !== null) return { ok: false, ...verdict, reason: step.reason };
        onProgress?.(step.head.sequence, step.total);
        if (step.head.sequence === head.sequence) return { ok: true, ...verdict };
        head = step.head;
      }
    },
  };
}

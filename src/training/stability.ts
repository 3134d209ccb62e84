/** What becomes of a search whose numbers leave the finite ones: skip, go back once, give up. */

import { TrialError } from '../foundation/errors.ts';
import { pathKey } from '../searchspace/path.ts';
import type { Path } from '../searchspace/space.ts';

/** Steps that were skipped because their loss or a gradient was not finite. */
export interface Stability {
  /** In the whole run. */
  readonly skipped: number;
  /** One after the other, up to now. */
  readonly inARow: number;
  /** Since the start, or since the search went back. */
  readonly sinceRollback: number;
  /** How often the search went back to a checkpoint. */
  readonly rollbacks: number;
}

/** Nothing skipped. */
export const STABLE: Stability = { skipped: 0, inARow: 0, sinceRollback: 0, rollbacks: 0 };

/** Most steps in a row that are skipped. */
const MAX_IN_A_ROW = 5;

/** Most steps that are skipped as a share of the run. */
const MAX_SHARE = 0.001;

/** What the learning rate is multiplied by when the search goes back. */
const SLOWER = 0.1;

/** Counts a step. */
export function afterStep(stability: Stability, isFinite: boolean): Stability {
  if (isFinite) return stability.inARow === 0 ? stability : { ...stability, inARow: 0 };
  return {
    ...stability,
    skipped: stability.skipped + 1,
    inARow: stability.inARow + 1,
    sinceRollback: stability.sinceRollback + 1,
  };
}

/** Whether more is skipped than single bad batches explain; a short run may skip a few steps too. */
export function isExhausted({ inARow, sinceRollback }: Stability, totalSteps: number): boolean {
  return inARow > MAX_IN_A_ROW || sinceRollback > Math.max(MAX_IN_A_ROW, MAX_SHARE * totalSteps);
}

/** After going back: what was skipped stays counted in the run. */
export function rolledBack({ skipped, rollbacks }: Stability): Stability {
  return { skipped, inARow: 0, sinceRollback: 0, rollbacks: rollbacks + 1 };
}

/** Factor of the learning rate. */
export function rateScale({ rollbacks }: Stability): number {
  return SLOWER ** rollbacks;
}

/** Names the weights of a state: another name wherever they may differ. */
export function weightsOf({ step, stability }: { step: number; stability: Stability }): string {
  return `step ${step}, went back ${stability.rollbacks} times`;
}

/** The end of a search that left the finite numbers again after it had gone back. */
export function diverged(
  { skipped, inARow }: Stability,
  { path, lr }: { path: Path; lr: number },
): TrialError {
  return new TrialError('LOSS_NOT_FINITE', {
    where: `path ${pathKey(path)} at learning rate ${lr}`,
    wanted: 'a finite loss and finite gradients',
    found: `${skipped} steps without, the last ${inARow} in a row, in spite of a lower rate`,
    next: 'Begin anew (--overwrite) with a lower lr or a longer warm-up, or look for what is wrong with the images',
  });
}

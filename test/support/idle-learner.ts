import type { Learner } from '../../src/algorithms/algorithm.ts';
import type { Path } from '../../src/searchspace/space.ts';
import type { Supernet } from '../../src/supernet/supernet.ts';
import { tinyBatch, tinyHeldOut, type TinySearch } from './tiny.ts';

/** A learner that computes nothing and remembers what it was asked for. */
export interface IdleLearner extends Learner {
  /** Paths whose gradients were taken. */
  readonly taken: Path[];
  /** Paths of each update. */
  readonly updates: Path[][];
}

export function idleLearner(supernet: Supernet): IdleLearner {
  const taken: Path[] = [];
  const updates: Path[][] = [];
  return {
    supernet,
    lr: 0.1,
    taken,
    updates,
    gradientsOf: (path) => {
      taken.push(path);
      return { path, loss: 1, outputs: {}, gradients: new Map() };
    },
    update: (parts) => {
      updates.push(parts.map(({ path }) => path));
      return true;
    },
    evaluate: () => new Float32Array(),
  };
}

/** What an algorithm asks for in each of its first steps. */
export function idleSteps<Own>(
  { algorithm }: TinySearch<Own>,
  supernet: Supernet,
  steps: number,
): IdleLearner[] {
  const batch = tinyBatch(2, 'training');
  let own = algorithm.initialState();
  return Array.from({ length: steps }, (_, step) => {
    const learner = idleLearner(supernet);
    const { next } = algorithm.step(own, { step, epoch: 0, batch, heldOut: tinyHeldOut, learner });
    if (next === null) throw new Error('a step was refused');
    own = next;
    return learner;
  });
}

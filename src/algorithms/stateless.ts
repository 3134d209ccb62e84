import { ArrayStock, stateInvalid } from '../foundation/named-arrays.ts';
import type { Batch } from '../data/stream/batch.ts';
import { crossEntropyTo, smoothedTargets } from '../supernet/classification.ts';
import type { Algorithm, Learner, LossOf, MetricDeclaration } from './algorithm.ts';

/** What algorithms that remember nothing from step to step have in common. */
export type Stateless = Readonly<Record<string, never>>;

const NOTHING: Stateless = {};

/** Their metrics: they know no path that is better than another. */
export const RANDOM_PATH_METRICS: readonly MetricDeclaration[] = [
  { key: 'pathMean', unit: 'fraction', meaning: 'Mean accuracy of random paths.' },
];

/** Makes an algorithm of a step; everything else follows from having no state. */
export function statelessAlgorithm(step: Algorithm<Stateless>['step']): Algorithm<Stateless> {
  return {
    settings: {},
    savedNumbers: 0,
    initialState: () => NOTHING,
    step,
    candidates: () => [],
    metrics: (_, ranking) => ({
      pathMean: ranking.reduce((sum, { accuracy }) => sum + accuracy, 0) / ranking.length,
    }),
    tell: () => '',
    endEpoch: (state) => state,
    save: () => ({ values: {}, arrays: [] }),
    restore: ({ values, arrays }) => {
      const [key] = Object.keys(values);
      if (key !== undefined) throw stateInvalid('state.algorithm', 'nothing', `"${key}"`);
      new ArrayStock(arrays).requireEmpty();
      return NOTHING;
    },
    describe: () => ({ board: [], activity: {}, summary: '' }),
  };
}

/** Cross-entropy to the smoothed labels of a batch. */
export function labelLoss(
  { supernet: { engine, space } }: Learner,
  { labels }: Batch,
  smoothing: number,
): LossOf {
  const targets = smoothedTargets(labels, space.classes, smoothing);
  return (logits) => ({ loss: crossEntropyTo(engine, logits, targets) });
}

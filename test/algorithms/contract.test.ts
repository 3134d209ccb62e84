import { ALGORITHMS } from '../../src/algorithms/registry.ts';
import { describeAlgorithm, type ShortRun } from '../contract/algorithm.ts';

/** Several paths a step, each on its share. */
const SEVERAL: ShortRun = {
  changes: { pathsPerStep: 3, pathBatch: 'share' },
  hasCandidates: false,
};

/** For an algorithm whose work is not all in twelve steps of its defaults. */
const RUNS: Readonly<Partial<Record<string, ShortRun>>> = {
  random: { changes: { averaging: 0.25 }, hasCandidates: false },
  sandwich: SEVERAL,
  spos: SEVERAL,
  'cream-official': { changes: { warmupEpochs: 0, metaInterval: 3 }, hasCandidates: true },
  // Rounds after the first and the ninth step.
  cream: {
    changes: {
      warmupEpochs: 0,
      metaInterval: 3,
      boardSize: 1,
      batchSize: 32,
      imagesPerEpoch: 192,
    },
    hasCandidates: true,
  },
};

const PLAIN: ShortRun = { changes: {}, hasCandidates: false };

for (const [name, definition] of Object.entries(ALGORITHMS)) {
  describeAlgorithm(name, definition, RUNS[name] ?? PLAIN);
}

import type { CheckpointRun } from '../../src/generated/checkpoint.ts';

/** A search of ten epochs of ten steps. */
export const CHECKPOINT_RUN: CheckpointRun = {
  configFile: '/somewhere/my trial.yml',
  parameters: { seed: 3 },
  engine: 'native',
  totalSteps: 100,
  stepsPerEpoch: 10,
  mathematics: { seed: 3 },
  circumstances: { threads: 2 },
  badSamples: [{ name: 'train/a/1.jpg', reason: 'the file is empty' }],
};

import type { Metrics } from '../../src/foundation/metrics.ts';

/** Keys of every report of a Cream search to NNI, sorted. */
export const METRIC_KEYS = [
  'bestMacs',
  'boardChanges',
  'boardMean',
  'default',
  'imagesPerSecond',
  'imagesSeen',
  'kdLoss',
  'loss',
  'lr',
  'rho',
  'rhoSpread',
  'skippedImages',
  'skippedSteps',
  'teachers',
];

/** A report whose values are all numbers that JSON has to keep exactly. */
export const METRICS: Metrics = {
  default: 0.1 + 0.2,
  loss: 1,
  kdLoss: 0,
  rho: 0,
  rhoSpread: 0,
  boardMean: 0.25,
  boardChanges: 0,
  teachers: 0,
  bestMacs: 1000,
  lr: 0.05,
  imagesPerSecond: 100,
  imagesSeen: 64,
  skippedSteps: 0,
  skippedImages: 1,
};

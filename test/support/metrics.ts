/** Keys of every report to NNI, sorted. */
export const METRIC_KEYS = [
  'bestMacs',
  'boardMean',
  'default',
  'imagesPerSecond',
  'kdLoss',
  'loss',
  'lr',
  'rho',
  'skippedImages',
  'skippedSteps',
];

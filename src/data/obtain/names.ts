/** Data sets that can be had by name: fetched from their official place, or drawn (`shapes`). */
export const DATASET_NAMES = ['cifar10', 'fashion-mnist', 'shapes'] as const;

/** Name of a data set that can be had. */
export type DatasetName = (typeof DATASET_NAMES)[number];

/** Data sets with a name: fetched from their official site, or drawn (`shapes`). */
export const DATASET_NAMES = ['cifar10', 'fashion-mnist', 'shapes'] as const;

/** Name of such a data set. */
export type DatasetName = (typeof DATASET_NAMES)[number];

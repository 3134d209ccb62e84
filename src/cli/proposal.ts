/** Proposes settings that suit a person's own images and machine. */

import skeletonFile from '../../nni-config/skeletons/nas-bench-macro.json' with { type: 'json' };
import { heldOutSizes } from '../data/stream/held-out.ts';
import type { Survey } from '../data/survey.ts';
import { OPEN_BUDGET } from '../searchspace/budget.ts';
import { feasibility } from '../searchspace/feasibility.ts';
import { fullSpace, parseSkeleton } from '../searchspace/parse.ts';

/** Resources that a search may use. */
export interface ProposedMachine {
  readonly cores: number;
  readonly memoryBytes: number;
}

/** Settings of the trial config, by key; `maxImages` is one of `data`. */
export interface ProposedSettings {
  readonly maxImages: number | null;
  readonly epochs: number;
  readonly imagesPerEpoch: number;
  readonly batchSize: number;
  readonly rankingImages: number;
  readonly calibrationImages: number;
}

/** Settings that suit the images, with reasons. */
export interface Proposal {
  readonly classes: number;
  /** Height and width of the resized images, pixels. */
  readonly imageSize: number;
  readonly settings: ProposedSettings;
  /** Expected time on this machine, once the images are decoded. */
  readonly minutes: number;
  /** One line per choice: its reason or meaning. */
  readonly reasons: Readonly<Record<ProposedKey, string>>;
}

/** Choices that have a reason. */
export type ProposedKey = 'classes' | 'imageSize' | keyof ProposedSettings;

/** Target duration, seconds. */
const TARGET_SECONDS = 420;
/** Seconds before the first step: loading the library, one trial step of the largest network. */
const START_SECONDS = 15;

/**
 * Multiply-accumulates per second, measured with `nni-config/trial.yml` on two cores: training with
 * a full board (111 images/s), and rankings.
 */
const TRAINED_PER_SECOND = 6.3e9;
const RANKED_PER_SECOND = 46e9;
const MEASURED_CORES = 2;
/** Speed is assumed to be proportional to cores up to this number; not measured. */
const MOST_CORES = 8;

const LARGER_SIZES = [64, 48] as const;
const SMALLEST_SIZE = 32;
/** Fewer steps teach the supernet too little to rank its paths. */
const LEAST_STEPS = 200;
/** One epoch before the board opens, then six reports that show the progress. */
const EPOCHS = 7;
/** Passes over a small set; more steps would only overfit it. */
const MOST_PASSES = 100;
/** Images of each ranking, of recalibration, and of the whole search, at 32 pixels. */
const RANKED_IMAGES = 500;
const LEAST_RANKED_IMAGES = 128;
const MAX_IMAGES = 20_000;
/** A tenth is held out in three parts; each needs several images of a class. */
const LEAST_IMAGES_PER_CLASS = 100;
/** Paths of one ranking: those of the board. */
const RANKED_PATHS = 10;
/** Paths that are measured at the end: the answer, and random ones as many as the config's default. */
const CONFIRMED_PATHS = 26;

/** Batch sizes, each with the fewest images that it suits. */
const BATCHES = [
  [2000, 64],
  [250, 32],
] as const;
const SMALLEST_BATCH = 16;

/**
 * Memory of a search, measured at 32, 48 and 64 pixels with batches of 32 and 64: bytes of a step
 * per image and multiply-accumulate of the largest network, and bytes of everything else. A meta
 * step has at most 32 images and needs 1.7 times as much per image.
 */
const STEP_BYTES_PER_MAC = 0.2;
const OTHER_BYTES = 0.75e9;
const META_IMAGES = 32;
const META_FACTOR = 1.7;
/** Share of the memory for steps; the rest is for images and other processes. */
const MEMORY_SHARE = 0.7;

/**
 * Chooses image size, batch and lengths so that a search of the shipped network takes five to ten
 * minutes on two cores, less where the images are few.
 *
 * @throws TrialError DATA_INVALID when the images are too few for a held-out part.
 */
export function propose(survey: Survey, machine: ProposedMachine): Proposal {
  const sizes = LARGER_SIZES.filter((size) => size <= survey.medianSide);
  const plans = sizes.map((size) => planFor(size, survey, machine));
  const smallest = planFor(SMALLEST_SIZE, survey, machine);
  const plan = plans.find(({ steps }) => steps >= LEAST_STEPS) ?? smallest;
  return {
    classes: survey.classes.length,
    imageSize: plan.imageSize,
    settings: plan.settings,
    minutes: plan.seconds / 60,
    reasons: reasonsOf(plan, survey, machine),
  };
}

/** The consequences of one image size. */
interface Plan {
  readonly imageSize: number;
  readonly settings: ProposedSettings;
  /** Training images, held-out ones excluded. */
  readonly training: number;
  readonly steps: number;
  readonly seconds: number;
}

function planFor(imageSize: number, survey: Survey, machine: ProposedMachine): Plan {
  const { meanMacs, largestMacs } = networksOf(imageSize, survey.classes.length);
  const parts = partsOf(imageSize, survey);
  const { training, ranked, ...measured } = parts;
  const speed = Math.min(machine.cores, MOST_CORES) / MEASURED_CORES;
  const besides = START_SECONDS + (ranked * meanMacs) / (speed * RANKED_PER_SECOND);
  const imagesPerSecond = (speed * TRAINED_PER_SECOND) / meanMacs;
  const affordable = Math.max(0, TARGET_SECONDS - besides) * imagesPerSecond;
  const batchSize = batchFor(training, largestMacs, machine);
  const perEpoch = Math.min(affordable, MOST_PASSES * training) / EPOCHS;
  const stepsPerEpoch = Math.max(1, Math.floor(perEpoch / batchSize));
  const imagesPerEpoch = stepsPerEpoch * batchSize;
  return {
    imageSize,
    settings: { ...measured, epochs: EPOCHS, imagesPerEpoch, batchSize },
    training,
    steps: EPOCHS * stepsPerEpoch,
    seconds: besides + (EPOCHS * imagesPerEpoch) / imagesPerSecond,
  };
}

function networksOf(imageSize: number, classes: number): { meanMacs: number; largestMacs: number } {
  const skeleton = parseSkeleton({ ...skeletonFile, imageSize, classes }, skeletonFile.name);
  const { smallest, largest } = feasibility(fullSpace(skeleton), OPEN_BUDGET);
  return { meanMacs: (smallest.macs + largest.macs) / 2, largestMacs: largest.macs };
}

interface Parts extends Pick<
  ProposedSettings,
  'maxImages' | 'rankingImages' | 'calibrationImages'
> {
  readonly training: number;
  /** Forward passes without training, in images. */
  readonly ranked: number;
}

/** Fewer images where they are larger, so that rankings take the same time. */
function partsOf(imageSize: number, { classes, trainImages, testImages }: Survey): Parts {
  const share = (SMALLEST_SIZE / imageSize) ** 2;
  const most = Math.max(
    100 * Math.round((share * MAX_IMAGES) / 100),
    LEAST_IMAGES_PER_CLASS * classes.length,
  );
  const { training, ranking, confirmation } = heldOutSizes(
    Math.min(most, trainImages),
    classes.length,
  );
  const wanted = Math.max(LEAST_RANKED_IMAGES, Math.round(share * RANKED_IMAGES));
  const rankingImages = Math.min(wanted, ranking);
  const calibrationImages = Math.min(wanted, training);
  return {
    maxImages: Math.max(trainImages, testImages) > most ? most : null,
    rankingImages,
    calibrationImages,
    training,
    ranked:
      EPOCHS * RANKED_PATHS * (calibrationImages + rankingImages) +
      RANKED_PATHS * (calibrationImages + ranking) +
      CONFIRMED_PATHS * (calibrationImages + (confirmation || ranking)) +
      Math.min(most, testImages),
  };
}

/** A batch that fits into memory, and of which a small set has several. */
function batchFor(training: number, largestMacs: number, { memoryBytes }: ProposedMachine): number {
  const [, wanted] = BATCHES.find(([least]) => training >= least) ?? [0, SMALLEST_BATCH];
  let batch: number = wanted;
  while (batch > SMALLEST_BATCH && searchMemory(batch, largestMacs) > MEMORY_SHARE * memoryBytes) {
    batch /= 2;
  }
  return batch;
}

function searchMemory(batch: number, largestMacs: number): number {
  const images = Math.max(batch, META_FACTOR * Math.min(batch, META_IMAGES));
  return OTHER_BYTES + images * largestMacs * STEP_BYTES_PER_MAC;
}

function reasonsOf(
  { imageSize, settings, training, steps }: Plan,
  { classes, medianSide, trainImages, testImages }: Survey,
  { cores }: ProposedMachine,
): Proposal['reasons'] {
  const { maxImages, epochs, imagesPerEpoch } = settings;
  const isReduced = LARGER_SIZES.some((size) => size > imageSize && size <= medianSide);
  const passes = (epochs * imagesPerEpoch) / training;
  const images = `${trainImages} training and ${testImages} test images`;
  return {
    classes: `classes of the images: ${namesOf(classes)}`,
    imageSize:
      `pixels a side; the shorter side of the images has ${medianSide}` +
      (isReduced ? `, but that would leave fewer than ${LEAST_STEPS} steps` : ''),
    maxImages: maxImages === null ? images : `of ${images}: enough for a first search`,
    epochs: 'each ends with a report; the board opens after the first',
    imagesPerEpoch: `in all, each of the ${training} training images ${times(passes)}`,
    batchSize: `images a step, which makes ${steps} steps on ${cores} ${cores === 1 ? 'core' : 'cores'}`,
    rankingImages: 'held-out images in each report; at the end all that choose the answer',
    calibrationImages: 'training images that batch norm is measured on before each ranking',
  };
}

const NAMED = 3;

function namesOf(classes: Survey['classes']): string {
  const named = classes.slice(0, NAMED).map(({ name }) => JSON.stringify(name));
  return `${named.join(', ')}${classes.length > NAMED ? ', …' : ''}`;
}

function times(passes: number): string {
  return passes < 10 ? `${passes.toFixed(1)} times` : `${Math.round(passes)} times`;
}

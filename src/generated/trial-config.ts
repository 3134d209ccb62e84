/* Generated from schemas/trial-config.schema.json by `npm run generate`: do not edit. */

/**
 * All settings of a task: network, data, algorithm. Paths are relative to the file.
 */
export interface TrialConfigFile {
  /**
   * Path of this schema, for editors.
   */
  $schema?: string;
  /**
   * Version of the file format.
   */
  version: 1;
  /**
   * Seed of everything random.
   */
  seed: number;
  /**
   * `search` trains a supernet and picks an architecture; with the weights of a search's folder `evaluate` measures one architecture, `select` picks one again, such as for another budget, and `rank` measures the networks of a table.
   */
  task: 'search' | 'evaluate' | 'select' | 'rank';
  /**
   * How the supernet is trained: `cream` as in Cream of the Crop, `cream-official` as its released code does, defects included, `spos` by uniform paths, `fairnas` by strict fairness, `sandwich` by the largest, the smallest and random paths, `random` as `spos`, with the best of random paths for the answer.
   */
  algorithm: 'cream' | 'cream-official' | 'fairnas' | 'random' | 'sandwich' | 'spos';
  /**
   * Path of the network skeleton file.
   */
  skeleton: string;
  /**
   * Path of the NNI search space file that holds the labels of the skeleton.
   */
  space: string;
  data: DataConfig;
  /**
   * Number of epochs; each ends with a report.
   */
  epochs: number;
  /**
   * Training images that each epoch draws; without it all of them.
   */
  imagesPerEpoch?: number;
  /**
   * Training images in one step; at most all that are not held out.
   */
  batchSize: number;
  /**
   * How weights start: `pytorch` uniform by fan-in, PyTorch's default; `official` as in Cream's code, normal by fan-out.
   */
  initialisation: 'pytorch' | 'official';
  /**
   * `adamw`, or `sgd` with Nesterov momentum as in Cream's code.
   */
  optimizer: 'sgd' | 'adamw';
  /**
   * Largest learning rate, after the warm-up; without it 0.003 for adamw, and for sgd 0.2 at a batch of 128 and in proportion to the batch.
   */
  lr?: number;
  /**
   * How the learning rate falls to 0 after the warm-up.
   */
  schedule: 'linear' | 'cosine';
  /**
   * Steps in which the learning rate grows to its largest; without it a tenth of the run, at most 100.
   */
  warmupSteps?: number;
  /**
   * Nesterov momentum of sgd, and the decay of the first moment of adamw.
   */
  momentum: number;
  /**
   * Penalty of the weights: L2 for sgd, decoupled for adamw; without it 0.0001 for sgd, 0.01 for adamw.
   */
  weightDecay?: number;
  /**
   * Largest norm of a step's gradient, which is scaled down to it; 0 for no limit.
   */
  clipNorm: number;
  /**
   * Share of a parameter's own updates that an average of its values looks back on; reports, selection, `evaluate` and `rank` use the average, training goes on with the values; 0 for none.
   */
  averaging: number;
  /**
   * Probability that is spread over all classes in the training targets.
   */
  labelSmoothing: number;
  /**
   * Learning rate of the meta network; without it 0.05, for `cream-official` 0.0001.
   */
  metaLr?: number;
  /**
   * Paths on the prioritized board.
   */
  boardSize: number;
  /**
   * Images on which paths are compared with those on the board. Of `cream` held-out ones; without it 8, or as many as the mini-set has. Of `cream-official` those of the path's own batch, at most half of it; without it 4.
   */
  probeImages?: number;
  /**
   * Held-out images of one meta step, and training images of it as far as the path's share has them; at most batchSize; without it 32, or batchSize if that is less.
   */
  metaImages?: number;
  /**
   * Steps between two meta steps; without it a fiftieth of the run, at least 10 and at most 200.
   */
  metaInterval?: number;
  /**
   * Epochs before the board opens, fewer than epochs; without it 21/120 of the run, at least 1, but 0 in a run of 1 epoch.
   */
  warmupEpochs?: number;
  /**
   * Who comes onto the board of cream: `pareto` keeps the best by cross-entropy and multiply-accumulates, `official` the rule of Cream's code.
   */
  admission: 'pareto' | 'official';
  /**
   * Lead in accuracy by which `admission: official` and `cream-official` admit a path to a full board whatever its cost, as a fraction; without it from the noise of the mini-set, at least 0.05, and 0.05 for `cream-official`.
   */
  accGap?: number;
  /**
   * Who picks the teacher of a path of cream: the meta network (`learned`), or for comparison the board's `best` path or a `random` one, with a matching degree of 0.5.
   */
  matching: 'learned' | 'best' | 'random';
  /**
   * Paths that a step trains, at one point of the weights and with one update: random ones of `cream` (at most batchSize), `spos` and `random`, 1 as in their papers; of `sandwich` the largest, the smallest, and random ones, at least 3.
   */
  pathsPerStep: number;
  /**
   * Images of each of the paths that a step trains, but of `cream`: `share` cuts the batch up, so that a step costs no more than one path; `whole` is all of the batch for each, as in the paper of fairnas. `cream` always cuts it up.
   */
  pathBatch: 'share' | 'whole';
  /**
   * Fewest multiply-accumulates of the answer and of trained paths; `fairnas` trains all.
   */
  minMacs: number;
  /**
   * Most multiply-accumulates of the answer and of trained paths, without it no limit; `fairnas` trains all.
   */
  maxMacs?: number;
  /**
   * Fewest parameters of the answer and of trained paths; `fairnas` trains all.
   */
  minParams: number;
  /**
   * Most parameters of the answer and of trained paths, without it no limit; `fairnas` trains all.
   */
  maxParams?: number;
  /**
   * Most images of the validation split in an epoch's ranking; without it all, as in the last ranking.
   */
  rankingImages?: number;
  /**
   * Training images for recalibrating batch norm before each score.
   */
  calibrationImages: number;
  /**
   * Random paths that the answer is compared with at the end; 0 for none, and no verdict.
   */
  baselinePaths: number;
  /**
   * Relative probability of each candidate name in every block that has it; without it uniform.
   */
  prior?: {
    /**
     * Relative probability; 0 for never.
     */
    [k: string]: number;
  };
  /**
   * What paths are ordered by, everywhere that a best one is picked.
   */
  scoreBy: 'crossEntropy' | 'accuracy';
  selection: SelectionConfig;
  /**
   * `native` is TensorFlow on the processor, `gpu` on an NVIDIA GPU; `js` is slow and only for tiny runs.
   */
  engine: 'native' | 'gpu' | 'js';
  /**
   * Threads of the engine; without it as many as there are cores.
   */
  threads?: number;
  /**
   * Folder of the result if neither NNI nor the command line names one.
   */
  output?: string;
  checkpoint: CheckpointConfig;
  /**
   * Output folder of another search of the same config, whose newest checkpoint this one resumes from.
   */
  resumeFrom?: string;
  /**
   * Output folder of a search whose newest weights `evaluate`, `select` and `rank` use.
   */
  supernet?: string;
  /**
   * The architecture that `evaluate` measures: path of a file, digit code, candidate names, or name of a published net.
   */
  arch?: string;
  rank: RankConfig;
}
/**
 * The images.
 */
export interface DataConfig {
  /**
   * Folder or archive that holds the data set.
   */
  path: string;
  /**
   * Format of the data set; `auto` detects it from the files.
   */
  format: 'auto' | 'image-folder' | 'tar' | 'zip' | 'cifar10' | 'idx';
  /**
   * Whether every second training image is mirrored left to right; `auto` mirrors unless the images are digits.
   */
  flip: 'auto' | true | false;
  /**
   * Largest change of brightness, contrast and saturation of a training image, as a fraction; 0 for none.
   */
  jitter: number;
  /**
   * Probability that a rectangle of a training image is replaced by noise.
   */
  erasing: number;
  /**
   * Most images of the training part, and of the test part; without it all of them.
   */
  maxImages?: number;
  /**
   * Folder of the decoded images.
   */
  cache: string;
}
/**
 * How the answer is picked from the trained supernet.
 */
export interface SelectionConfig {
  /**
   * How the answer is picked from the trained supernet: `mainEffects` fits an effect of every candidate to the scores of random paths and of the algorithm's candidates, and takes the path with the best sum; `board` takes the best of the algorithm's own candidates, `random` of random paths, `evolution` of a genetic search; without it the algorithm's own: `board` for cream-official, `random` for random, `mainEffects` for the others.
   */
  strategy?: 'mainEffects' | 'board' | 'random' | 'evolution';
  /**
   * Most held-out images that a path is scored on; without it all of the validation split.
   */
  images?: number;
  /**
   * Random paths that `random` and `mainEffects` score.
   */
  paths: number;
  /**
   * Paths of the first generation of `evolution`, which are random.
   */
  population: number;
  /**
   * Generations of `evolution` after the first.
   */
  generations: number;
  /**
   * Best paths so far, the parents of a generation.
   */
  parents: number;
  /**
   * Mutated paths of a generation.
   */
  mutations: number;
  /**
   * Crossed paths of a generation.
   */
  crossovers: number;
  /**
   * Probability that a mutation redraws a block's candidate.
   */
  mutationProbability: number;
}
/**
 * When the search is saved, beside the end of each epoch.
 */
export interface CheckpointConfig {
  /**
   * Steps between two saves; without it steps do not count.
   */
  steps?: number;
  /**
   * Minutes between two saves.
   */
  minutes: number;
}
/**
 * What `rank` compares with.
 */
export interface RankConfig {
  /**
   * File of true accuracies: NAS-Bench-Macro's JSON, or CSV with the columns arch and accuracy.
   */
  table?: string;
  /**
   * Networks drawn from the table; without it all of them.
   */
  nets?: number;
  /**
   * Seed of their choice and of the bootstrap.
   */
  seed: number;
}

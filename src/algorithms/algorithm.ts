/**
 * What a one-shot search algorithm is: which paths a step trains, by what loss, and which paths it
 * thinks well of. The loop around it (`training/loop.ts`) knows no algorithm, and an algorithm knows
 * no file, no clock and no NNI. `docs/guides/add-an-algorithm.md` builds one.
 */

import type { Tensor } from '../engine/ops.ts';
import type { Parameter } from '../engine/parameter.ts';
import type { Batch } from '../data/stream/batch.ts';
import type { HeldOut } from '../data/stream/held-out.ts';
import type { NamedArray } from '../foundation/named-arrays.ts';
import type { TrialConfigFile } from '../generated/trial-config.ts';
import type { SamplerOptions } from '../searchspace/sampler.ts';
import type { Path, SearchSpace } from '../searchspace/space.ts';
import type { Supernet } from '../supernet/supernet.ts';

/**
 * An algorithm with its settings; all that a run changes is in its `State`, which is a value: a
 * step returns a new one. Random numbers are functions of the seed and the step, so that a restored
 * state goes on with the very same numbers.
 */
export interface Algorithm<State> {
  /** What the numbers of its steps follow from, defaults filled in, by config key: plain JSON. */
  readonly settings: Readonly<Record<string, unknown>>;
  /** Most numbers that a saved state takes, for the room that is needed on the disk. */
  readonly savedNumbers: number;
  /** State before the first step: a function of the settings. */
  initialState(): State;
  /** Trains by one batch: predicts, takes gradients, and updates the weights once. */
  step(state: State, work: StepWork): StepResult<State>;
  /** Paths that the answer is to be among, by its own opinion; none where it has no opinion. */
  candidates(state: State): readonly Path[];
  /** Its own metrics at the end of an epoch: exactly the keys that its definition declares. */
  metrics(state: State, ranking: readonly Score[]): Readonly<Record<string, number>>;
  /** An epoch in one line for the log, with names of paths; empty where there is nothing to tell. */
  tell(state: State, ranking: readonly Score[]): string;
  /** The state at the start of the next epoch: sums over the epoch are forgotten. */
  endEpoch(state: State): State;
  /** A state as plain data. */
  save(state: State): SavedState;
  /** The state that was saved. @throws TrialError CHECKPOINT_INVALID when it cannot be one of these. */
  restore(saved: SavedState): State;
  /** What the result file says of a finished run: plain JSON. */
  describe(state: State, ranking: readonly Score[]): AlgorithmReport;
}

/** How the program offers an algorithm. */
export interface AlgorithmDefinition<State = unknown> {
  /** Where it comes from: authors, title, year. */
  readonly paper: string;
  /** What it reports beside the metrics of every algorithm. */
  readonly metrics: readonly MetricDeclaration[];
  /** Config keys that only it reads, or it and other algorithms that name them too. */
  readonly configKeys: readonly string[];
  /** Selection that its answer comes from where the config names none. */
  readonly selection: 'board' | 'random' | 'evolution' | 'mainEffects';
  /** @throws TrialError CONFIG_INVALID when settings that each are legal make no sense together. */
  create(setting: Setting): Algorithm<State>;
}

/** What an algorithm is made for. */
export interface Setting {
  readonly space: SearchSpace;
  readonly config: Readonly<TrialConfigFile>;
  readonly schedule: Schedule;
  readonly sampling: SamplerOptions;
  /** Multiply-accumulates of a path. */
  readonly macsOf: (path: Path) => number;
  /** Images of the held-out mini-set. */
  readonly boardImages: number;
}

/** Length of a run. */
export interface Schedule {
  readonly epochs: number;
  readonly stepsPerEpoch: number;
  readonly totalSteps: number;
}

/** What one step works on. */
export interface StepWork {
  /** Global steps done before this one. */
  readonly step: number;
  readonly epoch: number;
  readonly batch: Batch;
  readonly heldOut: HeldOut;
  readonly learner: Learner;
}

/** What one step did. */
export interface StepResult<State> {
  /** Null where a number was not finite, nothing having been changed. */
  readonly next: State | null;
  /** Training loss, mean over the paths, nats. */
  readonly loss: number;
  /** The paths that were trained. */
  readonly paths: readonly Path[];
  /** Images that were trained on, once for each path. */
  readonly images: number;
}

/** Trains and questions the supernet within one step. */
export interface Learner {
  readonly supernet: Supernet;
  /** Learning rate of this step. */
  readonly lr: number;
  /**
   * Gradients of a loss along a path, normalised by the batch, whose moments go into the running
   * statistics when the update is made. No weight changes. The learner owns them until then.
   */
  gradientsOf(path: Path, batch: Batch, lossOf: LossOf): PathGradients;
  /**
   * Adds up gradients and makes one update. The parameters of no path, and the running statistics of
   * their batch norms, stay as they are.
   *
   * @returns False, with nothing changed, where a loss or the norm of the sum is not finite.
   */
  update(parts: readonly PathGradients[]): boolean;
  /** Softmax of a path on held-out images, `float32 [count, classes]`, normalised by the batch. */
  evaluate(path: Path, batch: Batch): Float32Array;
}

/** Gradients of one path: they belong to the learner that made them. */
export interface PathGradients {
  readonly path: Path;
  /** Nats. */
  readonly loss: number;
  /** What `lossOf` named beside the loss. */
  readonly outputs: Readonly<Record<string, Float32Array>>;
  /** By parameter, of its shape. */
  readonly gradients: ReadonlyMap<Parameter, Tensor>;
}

/** A loss of logits `[batch, classes]`: a scalar, and other tensors that are to be read. */
export type LossOf = (logits: Tensor) => {
  readonly loss: Tensor;
  readonly outputs?: Readonly<Record<string, Tensor>>;
};

/** What a path scored on held-out images with recalibrated batch norms. */
export interface Score {
  readonly path: Path;
  /** Fraction. */
  readonly accuracy: number;
  /** Mean of -log p(label), nats. */
  readonly crossEntropy: number;
}

/** One metric, for the documentation and for the check that nothing else is reported. */
export interface MetricDeclaration {
  readonly key: string;
  /** `fraction`, `nats`, `multiply-accumulates`, … */
  readonly unit: string;
  readonly meaning: string;
}

/** A state as plain data: few numbers as JSON, many as arrays. */
export interface SavedState {
  readonly values: Readonly<Record<string, unknown>>;
  readonly arrays: readonly NamedArray[];
}

/** An algorithm's part of a result. */
export interface AlgorithmReport {
  /** Paths that it kept, best first, each with what it knew of it. */
  readonly board: readonly KeptPath[];
  /** Numbers that say whether it was at work. */
  readonly activity: Readonly<Record<string, number | null>>;
  /** One line of them for the log. */
  readonly summary: string;
}

/** A path that an algorithm kept. */
export interface KeptPath {
  readonly path: Path;
  /** Numbers by name. */
  readonly facts: Readonly<Record<string, number>>;
}

/** Trains from a state on, then measures the answer beside random paths and on the test part. */

import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Logger } from '../foundation/logger.ts';
import { createRng } from '../foundation/rng.ts';
import { samplePath } from '../searchspace/sampler.ts';
import { pathCost } from '../searchspace/cost.ts';
import { pathKey } from '../searchspace/path.ts';
import type { Path, SearchSpace } from '../searchspace/space.ts';
import { search, type SearchOutcome } from '../training/loop.ts';
import type { SearchPlan } from '../training/plan.ts';
import type { Clock, Reporter, SearchMetrics } from '../training/ports.ts';
import { measurePath, rankPaths, type RankedPath } from '../training/ranking.ts';
import type { SearchState } from '../training/state.ts';
import type { Saver } from '../run-folder/checkpoint/saver.ts';
import type { TrialConfig } from './config.ts';
import { openTrainingBatches, type Images } from './images.ts';
import { type MemoryReadings, MemoryWatchdog } from './memory.ts';

/** What is shown of a run while it goes on. */
export interface ProgressView {
  /** @param step - Steps that are done already. */
  start(plan: SearchPlan, step: number): void;
  step(state: SearchState): void;
  epoch(epoch: number, metrics: SearchMetrics): void;
  stop(): void;
}

/** A search that is ready to be trained. */
export interface Training {
  readonly config: TrialConfig;
  readonly plan: SearchPlan;
  readonly images: Images;
  /** The first state, or a restored one. */
  readonly start: SearchState;
  readonly saver: Saver;
  readonly reporter: Reporter;
  readonly progress: ProgressView;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly memory: MemoryReadings;
  /** Ends the run between two pieces of work. */
  readonly signal: AbortSignal;
}

/** What came out of it. */
export interface Measured {
  readonly outcome: SearchOutcome;
  /** Random paths measured as the answer was. */
  readonly baseline: readonly RankedPath[];
  readonly testAccuracy: number | null;
}

/** Runs the search to its end. */
export async function trainAndMeasure(training: Training): Promise<Measured> {
  const { start, saver, images, plan, config, clock, progress, reporter } = training;
  const macsOf = cachedMacs(start.supernet.space);
  const batches = openTrainingBatches(images, config, { ...plan, clock });
  const watchMemory = memoryWatch(training);
  progress.start(plan, start.step);
  try {
    const outcome = await search(start, {
      plan,
      batches,
      heldOut: images.heldOut,
      reporter: watched(reporter, { progress, shown: start.reports.length }),
      macsOf,
      skippedImages: images.dataset.skipped.length,
      clock,
      between: (state) => saver.between(state),
      recall: () => saver.recall(start.supernet, plan),
      onStep: (state) => {
        progress.step(state);
        watchMemory(state);
      },
    });
    return { outcome, ...(await measure(outcome, training, macsOf)) };
  } finally {
    progress.stop();
    await batches.close();
  }
}

/** Looks after the memory at every step, and says at the start of each epoch how it stands. */
function memoryWatch({ logger, plan, start, memory }: Training): (state: SearchState) => void {
  const watchdog = new MemoryWatchdog(logger, memory.allowed());
  return ({ supernet, tally, activity, reports }) => {
    const tensors = supernet.engine.tensorCount();
    const looseTensors = tensors - supernet.tensorCount();
    const rssBytes = memory.resident();
    // By then this process has done every kind of work once, the ranking of the board included.
    const settledAt = Math.max(plan.warmupEpochs, start.reports.length);
    const isSettled = activity.metaSteps > 0 && reports.length > settledAt;
    watchdog.check({ looseTensors, rssBytes, isSettled });
    if (tally.steps !== 1) return;
    const mib = (rssBytes / 2 ** 20).toFixed(0);
    logger.log('info', `memory: ${mib} MiB, ${tensors} tensors, ${looseTensors} beside the state`);
  };
}

/** Measures random paths, and the answer on the test part. */
async function measure(
  { state, ranking }: SearchOutcome,
  { images, plan, config, signal }: Training,
  macsOf: (path: Path) => number,
): Promise<Omit<Measured, 'outcome'>> {
  const { supernet } = state;
  const { heldOut, test } = images;
  const { calibration } = heldOut;
  const pause = async (): Promise<void> => {
    await nextTurn();
    signal.throwIfAborted();
  };
  const paths = baselinePaths(supernet.space, plan, { macsOf, count: config.baselinePaths });
  const ranked = { calibration, images: () => heldOut.ranking, pause };
  const baseline = await rankPaths(supernet, paths, ranked);
  const best = (ranking[0] as RankedPath).path;
  const tested = test && { calibration, images: () => test, pause };
  return { baseline, testAccuracy: tested && (await measurePath(supernet, best, tested)) };
}

/** A path's cost is asked for at every step: computed once. */
function cachedMacs(space: SearchSpace): (path: Path) => number {
  const known = new Map<string, number>();
  return (path) => {
    const key = pathKey(path);
    const macs = known.get(key) ?? pathCost(space, path).macs;
    known.set(key, macs);
    return macs;
  };
}

/** Random paths of the budget that the answer is compared with. */
function baselinePaths(
  space: SearchSpace,
  plan: SearchPlan,
  { macsOf, count }: { macsOf: (path: Path) => number; count: number },
): Path[] {
  return Array.from({ length: count }, (_, index) => {
    const rng = createRng({ seed: plan.seed, stream: 'baseline', step: 0, index });
    return samplePath(space, { ...plan, macsOf }, rng);
  });
}

/** A reporter whose epochs are shown too, but for those that an earlier process has shown. */
function watched(
  reporter: Reporter,
  { progress, shown }: { progress: ProgressView; shown: number },
): Reporter {
  return {
    intermediate: async (metrics, epoch) => {
      if (epoch >= shown) progress.epoch(epoch, metrics);
      await reporter.intermediate(metrics, epoch);
    },
    final: (metrics) => reporter.final(metrics),
  };
}

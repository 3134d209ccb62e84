import { spos } from '../../src/algorithms/spos/spos.ts';
import type { Batch } from '../../src/data/stream/batch.ts';
import type { Engine } from '../../src/engine/engine.ts';
import { macsModel } from '../../src/searchspace/cost-model.ts';
import type { SearchSpace } from '../../src/searchspace/space.ts';
import { Supernet } from '../../src/supernet/supernet.ts';
import { samplingOf } from '../../src/tasks/search-plan.ts';
import { parseTrialConfig } from '../../src/tasks/config.ts';
import { StepLearner } from '../../src/training/learner.ts';
import { planTraining } from '../../src/training/plan.ts';
import { learningRate } from '../../src/training/schedule.ts';
import { tinyHeldOut } from './tiny.ts';

/** Size and material of a training by random paths. */
export interface ShortTraining {
  readonly space: SearchSpace;
  readonly seed: number;
  /** Steps to take. */
  readonly steps: number;
  /** Steps that the learning rate is planned for; as many as are taken where it is left out. */
  readonly plannedSteps?: number;
  readonly batchSize: number;
  readonly batchAt: (step: number) => Batch;
}

/**
 * Trains a new supernet by random paths, as `spos` does, with the defaults of a config.
 *
 * @param prepare - Gets the supernet before the first step.
 * @returns The loss of each step, and the supernet, which the caller disposes of.
 */
export function trainByDefaults(
  engine: Engine,
  { space, seed, steps, plannedSteps = steps, batchSize, batchAt }: ShortTraining,
  prepare: (supernet: Supernet) => void = () => undefined,
): { readonly supernet: Supernet; readonly losses: readonly number[] } {
  const images = plannedSteps * batchSize;
  const least = { skeleton: 's', space: 's', data: { path: 'd' }, seed, epochs: 1, batchSize };
  const config = parseTrialConfig(JSON.stringify({ ...least, imagesPerEpoch: images }), '/t.json');
  const plan = planTraining(config, images);
  const { optimizer, rate } = plan;
  const { clipNorm } = optimizer;
  const supernet = new Supernet(engine, space, seed, config.initialisation);
  prepare(supernet);
  const algorithm = spos.create({
    space,
    config,
    schedule: plan,
    sampling: samplingOf(config, space),
    macsOf: macsModel(space).cost,
    boardImages: 1,
  });
  const losses = Array.from({ length: steps }, (_, step) => {
    const lr = learningRate(rate.lr, step, rate);
    const learner = new StepLearner({ supernet, optimizer, clipNorm, lr, clock: () => 0 });
    const work = { step, epoch: 0, batch: batchAt(step), heldOut: tinyHeldOut, learner };
    const { loss } = algorithm.step({}, work);
    learner.dispose();
    return loss;
  });
  return { supernet, losses };
}

/**
 * A search's state as plain data and back: the one place that knows all its parts. What is not
 * listed here is a function of the seed and of the counters that are.
 */

import type { Algorithm, Schedule } from '../algorithms/algorithm.ts';
import { AVERAGE } from '../engine/averaging.ts';
import type { Engine } from '../engine/engine.ts';
import type { Tensor } from '../engine/ops.ts';
import type { Optimizer, OptimizerSlot } from '../engine/optimizer.ts';
import { ArrayStock, stateInvalid, type NamedArray } from '../foundation/named-arrays.ts';
import type { CheckpointState } from '../generated/checkpoint.ts';
import { isPathOf } from '../searchspace/path.ts';
import type { SearchSpace } from '../searchspace/space.ts';
import type { Supernet } from '../supernet/supernet.ts';
import type { SearchState } from './state.ts';

/** A whole state that no later step can change. */
export interface Snapshot {
  /** The parts that are few numbers: plain JSON. */
  readonly values: CheckpointState;
  /** Names begin with `weight/`, an optimizer slot such as `velocity/`, `running/` or `algorithm/`. */
  readonly arrays: readonly NamedArray[];
}

/** Whose state it is. */
export interface SnapshotOwner<Own> {
  readonly supernet: Supernet;
  readonly algorithm: Algorithm<Own>;
  readonly plan: Schedule & { readonly optimizer: Optimizer };
}

/** Prefix of the algorithm's own arrays. */
const OWN = 'algorithm/';

/** Copies a state; waits for the device. */
export function takeSnapshot<Own>(
  state: SearchState<Own>,
  { algorithm, plan }: Omit<SnapshotOwner<Own>, 'supernet'>,
): Snapshot {
  const { supernet, own, reports, ranking, ...values } = state;
  const saved = algorithm.save(own);
  return {
    values: {
      ...values,
      algorithm: { ...saved.values },
      reports: [...reports],
      ranking: ranking.map(({ path, ...score }) => ({ path: [...path], ...score })),
    },
    arrays: [
      ...supernetArrays(supernet, plan.optimizer),
      ...saved.arrays.map((array) => ({ ...array, name: `${OWN}${array.name}` })),
    ],
  };
}

function supernetArrays(
  { engine, parameters, running }: Supernet,
  optimizer: Optimizer,
): NamedArray[] {
  const arrayOf = (name: string, tensor: Tensor): NamedArray => ({
    name,
    shape: tensor.shape,
    values: engine.read(tensor),
  });
  return [
    ...parameters.map(({ name, value }) => arrayOf(`weight/${name}`, value)),
    ...parameters.flatMap(({ name, slots }) =>
      slots.map((slot, i) => arrayOf(`${optimizer.slots[i]?.name ?? i}/${name}`, slot)),
    ),
    ...running
      .entries()
      .flatMap(([name, { mean, variance }]) => [
        arrayOf(`running/${name}/mean`, mean),
        arrayOf(`running/${name}/variance`, variance),
      ]),
  ];
}

/**
 * Makes a snapshot the state of a supernet of the same space, in place of the one it had.
 *
 * @throws TrialError CHECKPOINT_INVALID, the supernet being unchanged, when an array is missing,
 *   has another shape, or belongs to nothing, or when no search of that plan has such counters.
 */
export function restoreSnapshot<Own>(
  { values, arrays }: Snapshot,
  { supernet, algorithm, plan }: SnapshotOwner<Own>,
): SearchState<Own> {
  requirePossible(values, supernet.space, plan);
  const { algorithm: ownValues, ...rest } = values;
  const stock = new ArrayStock(arrays);
  const own = algorithm.restore({ values: ownValues, arrays: stock.takePrefixed(OWN) });
  const restoreTensors = tensorsFor(supernet, stock, plan.optimizer.slots);
  stock.requireEmpty();
  restoreTensors();
  return { ...rest, supernet, own };
}

/**
 * Gives a supernet the weights that the paths of a snapshot are scored with, averages where there are
 * any, and its running statistics; the space is the same. What else an optimizer or an algorithm
 * remembered is left behind.
 *
 * @throws TrialError CHECKPOINT_INVALID, the supernet being unchanged, when one is missing or has
 *   another shape.
 */
export function restoreWeights({ arrays }: Snapshot, supernet: Supernet): void {
  const averaged = arrays
    .filter(({ name }) => name.startsWith(`${AVERAGE}/`))
    .map((array) => ({ ...array, name: array.name.replace(AVERAGE, 'weight') }));
  const replaced = new Set(averaged.map(({ name }) => name));
  const others = arrays.filter(({ name }) => !replaced.has(name));
  tensorsFor(supernet, new ArrayStock([...averaged, ...others]), [])();
}

/** Counters and paths follow from the steps: a file that says otherwise could go on for ever. */
function requirePossible(
  { step, reports, ranking }: CheckpointState,
  space: SearchSpace,
  { stepsPerEpoch, totalSteps }: Schedule,
): void {
  const first = reports.length * stepsPerEpoch;
  const last = Math.min(first + stepsPerEpoch, totalSteps);
  if (step < first || step > last) {
    const wanted = `a step from ${first} to ${last} after ${reports.length} epochs`;
    throw stateInvalid('state.step', wanted, String(step));
  }
  if (reports.length > 0 && ranking.length === 0) {
    throw stateInvalid('state.ranking', 'the paths of the last report', 'none');
  }
  const stranger = ranking.find(({ path }) => !isPathOf(space, path));
  if (stranger !== undefined) {
    throw stateInvalid('state.ranking', `paths of ${space.name}`, `[${stranger.path.join()}]`);
  }
}

/** Takes a supernet's numbers out of the stock; gives the function that puts them into place. */
function tensorsFor(
  supernet: Supernet,
  stock: ArrayStock,
  kept: readonly OptimizerSlot[],
): () => void {
  const { engine, parameters, running } = supernet;
  const weights = parameters.map(({ name, shape }) => stock.float32(`weight/${name}`, shape));
  const slots = parameters.map(({ name, shape }) =>
    kept.flatMap(({ name: slot, isNumber }) => {
      const key = `${slot}/${name}`;
      if (!stock.has(key)) return [];
      const slotShape = isNumber ? [1] : shape;
      return [{ shape: slotShape, values: stock.float32(key, slotShape) }];
    }),
  );
  // Those of a batch norm that has not been met are not there.
  const moments = parameters.flatMap(({ name: gamma, shape }) => {
    const name = gamma.replace(/\/gamma$/, '');
    if (name === gamma || !stock.has(`running/${name}/mean`)) return [];
    const mean = stock.float32(`running/${name}/mean`, shape);
    const variance = stock.float32(`running/${name}/variance`, shape);
    return [{ name, shape, mean, variance }];
  });
  return () => {
    parameters.forEach((parameter, i) => {
      const { value, shape } = parameter;
      engine.dispose([value, ...parameter.slots]);
      parameter.value = keptTensor(engine, weights[i] as Float32Array, shape);
      parameter.slots = (slots[i] ?? []).map((slot) => keptTensor(engine, slot.values, slot.shape));
    });
    running.dispose();
    for (const { name, shape, mean, variance } of moments) {
      running.replace(name, {
        mean: engine.tensor(mean, shape),
        variance: engine.tensor(variance, shape),
      });
    }
  };
}

function keptTensor(engine: Engine, values: Float32Array, shape: readonly number[]): Tensor {
  return engine.keep(engine.tensor(values, shape));
}

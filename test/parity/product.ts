/** What the product computes of one path, with everything that it follows from. */
import { studentLoss } from '../../src/algorithms/cream/loss.ts';
import type { BoardEntry } from '../../src/algorithms/cream/board.ts';
import type { Batch } from '../../src/data/stream/batch.ts';
import type { Engine } from '../../src/engine/engine.ts';
import type { Tensor } from '../../src/engine/ops.ts';
import { adamW, nesterovSgd } from '../../src/engine/optimizer.ts';
import type { Parameter } from '../../src/engine/parameter.ts';
import type { NamedArray } from '../../src/foundation/named-arrays.ts';
import { createRng } from '../../src/foundation/rng.ts';
import { fullSpace } from '../../src/searchspace/parse.ts';
import type { Path } from '../../src/searchspace/space.ts';
import { imagesOf } from '../../src/supernet/inference.ts';
import { Supernet } from '../../src/supernet/supernet.ts';
import { StepLearner } from '../../src/training/learner.ts';
import { shippedSkeleton } from '../support/spaces.ts';
import {
  SEED,
  arrayOf,
  changeArray,
  imagesArray,
  numberArray,
  randomBatch,
  type Comparison,
  type Network,
} from './exchange.ts';
import { metaPart } from './meta.ts';

const BATCH_SIZE = 16;
const STEPS = 2;

/** Weight decay and rates are large, so that each shows in an update, and its rounding does not. */
const SETTINGS = {
  lr: 1,
  momentum: 0.9,
  weightDecay: 0.05,
  clipNorm: 0.5,
  labelSmoothing: 0.1,
  rho: 0.7,
  adamLr: 0.03,
  beta1: 0.9,
  beta2: 0.99,
};

/** Runs two training steps, an evaluation and a meta step of one network. */
export function computeComparison(engine: Engine, network: Network): Comparison {
  const { name, student, teacher } = network;
  const skeleton = shippedSkeleton(name);
  const supernet = new Supernet(engine, fullSpace(skeleton), SEED);
  const parameters = [
    ...new Set([student, teacher].flatMap((path) => supernet.parametersOf(path))),
  ];
  roughen(supernet, parameters);
  const start = startOf(supernet, parameters);
  const batches = Array.from({ length: STEPS }, (_, step) =>
    randomBatch(supernet.space, BATCH_SIZE, `batch ${step}`),
  );
  const meta = metaPart(supernet, network, SETTINGS.labelSmoothing);
  const results = [
    ...batches.flatMap((batch, step) => trainStep(supernet, network, { batch, step })),
  ];
  results.push(...evaluation(supernet, student, batches[0]!));
  results.push(...adamUpdates(supernet, student, { start, results }), ...meta.results);
  supernet.dispose();
  const labels = batches.map((batch) => [...batch.labels]);
  return {
    description: { ...network, skeleton, settings: SETTINGS, labels, meta: meta.description },
    inputs: [...start, ...batches.map((b, i) => imagesArray(`images ${i}`, b)), ...meta.inputs],
    results,
  };
}

/**
 * Moves what starts as a constant: scales of 1, shifts and biases of 0, moments of 0 and 1 would hide
 * that one is left out.
 */
function roughen({ engine, running }: Supernet, parameters: readonly Parameter[]): void {
  for (const parameter of parameters) {
    const { name, shape, value } = parameter;
    if (shape.length > 1) continue;
    const rng = createRng({ seed: SEED, stream: `roughen ${name}`, step: 0 });
    const noise = (scale: number): Float32Array =>
      new Float32Array(value.size).map(() => scale * rng.normal());
    parameter.value = engine.addScaled(value, 1, engine.tensor(noise(0.2), shape));
    engine.dispose([value]);
    if (!name.endsWith('/gamma')) continue;
    const mean = engine.tensor(noise(0.3), shape);
    const variance = engine.tensor(noise(1).map((z) => 1 + z * z), shape); // prettier-ignore
    running.replace(name.slice(0, -'/gamma'.length), { mean, variance });
  }
}

function startOf({ engine, running }: Supernet, parameters: readonly Parameter[]): NamedArray[] {
  return [
    ...parameters.map(({ name, value }) => arrayOf(engine, `value/${name}`, value)),
    ...running
      .entries()
      .flatMap(([name, { mean, variance }]) => [
        arrayOf(engine, `mean/${name}`, mean),
        arrayOf(engine, `variance/${name}`, variance),
      ]),
  ];
}

/** One step as a search makes it: by the labels alone first, by a teacher afterwards. */
function trainStep(
  supernet: Supernet,
  { student, teacher }: Network,
  { batch, step }: { batch: Batch; step: number },
): NamedArray[] {
  const { engine } = supernet;
  const { lr, momentum, weightDecay, clipNorm, labelSmoothing, rho } = SETTINGS;
  const optimizer = nesterovSgd({ momentum, weightDecay });
  const learner = new StepLearner({ supernet, optimizer, clipNorm, lr, clock: () => 0 });
  // A student's loss looks at nothing else of an entry.
  const lesson = step === 0 ? null : { entry: { path: teacher } as BoardEntry, rho };
  const lossOf = studentLoss(supernet, batch, lesson, labelSmoothing);
  const trained = learner.gradientsOf(student, batch, (logits) => {
    const { loss, outputs } = lossOf(logits);
    return { loss, outputs: { ...outputs, logits } };
  });
  const { loss, outputs, gradients } = trained;
  const { logits = new Float32Array(), kd } = outputs;
  const results: NamedArray[] = [
    { name: `logits ${step}`, shape: [batch.count, supernet.space.classes], values: logits },
    numberArray(`loss ${step}`, loss),
    ...(kd === undefined ? [] : [numberArray(`distillation loss ${step}`, kd[0]!)]),
  ];
  for (const [{ name }, gradient] of gradients) {
    results.push(arrayOf(engine, `gradient ${step}/${name}`, gradient));
  }
  const parameters = [...gradients.keys()];
  const before = parameters.map(({ value }) => engine.read(value).slice());
  if (!learner.update([trained])) throw new Error('the step is not finite');
  learner.dispose();
  parameters.forEach((parameter, i) => {
    const { name, slots } = parameter;
    results.push(
      changeArray(engine, `SGD update ${step}/${name}`, { parameter, before: before[i]! }),
    );
    results.push(arrayOf(engine, `velocity ${step}/${name}`, slots[0]!));
  });
  return results;
}

/** Running statistics of the student's batch norms, and its logits by them. */
function evaluation(supernet: Supernet, student: Path, { images }: Batch): NamedArray[] {
  const { engine, running } = supernet;
  const own = new Set(supernet.parametersOf(student).map(({ name }) => name));
  const moments = running.entries().filter(([name]) => own.has(`${name}/gamma`));
  const uploaded = imagesOf(supernet, images);
  const logits = supernet.forward(uploaded, student, {
    normalisation: { by: 'stored', statistics: running },
  });
  const results = [
    ...moments.flatMap(([name, { mean, variance }]) => [
      arrayOf(engine, `running mean/${name}`, mean),
      arrayOf(engine, `running variance/${name}`, variance),
    ]),
    arrayOf(engine, 'logits by running statistics', logits),
  ];
  engine.dispose([uploaded, logits]);
  return results;
}

/** Two steps of AdamW from the start along the gradients of the two steps. */
function adamUpdates(
  supernet: Supernet,
  student: Path,
  known: { start: readonly NamedArray[]; results: readonly NamedArray[] },
): NamedArray[] {
  const { engine } = supernet;
  const { beta1, beta2, weightDecay, adamLr } = SETTINGS;
  const optimizer = adamW({ beta1, beta2, weightDecay });
  const upload = (arrays: readonly NamedArray[], name: string): Tensor => {
    const { shape, values } = arrays.find((array) => array.name === name)!;
    return engine.tensor(Float32Array.from(values), shape);
  };
  const parameters = supernet.parametersOf(student).map((own): Parameter => ({
    ...own,
    value: upload(known.start, `value/${own.name}`),
    slots: [],
  }));
  const results = Array.from({ length: STEPS }, (_, step) => {
    const before = parameters.map(({ value }) => engine.read(value).slice());
    const gradients = parameters.map(({ name }) =>
      upload(known.results, `gradient ${step}/${name}`),
    );
    optimizer.step(engine, parameters, gradients, adamLr);
    return parameters.map((parameter, i) =>
      changeArray(engine, `AdamW update ${step}/${parameter.name}`, {
        parameter,
        before: before[i]!,
      }),
    );
  });
  engine.dispose(parameters.flatMap(({ value, slots }) => [value, ...slots]));
  return results.flat();
}

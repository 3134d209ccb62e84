/** The meta step of one student: the one place of the comparison that knows its interface. */
import {
  createMetaNetwork,
  metaGradient,
  SCORE_BOUND,
} from '../../src/algorithms/cream/meta-network.ts';
import { differentiateMeta } from '../../src/algorithms/cream/meta-step.ts';
import type { NamedArray } from '../../src/foundation/named-arrays.ts';
import { createRng } from '../../src/foundation/rng.ts';
import type { Supernet } from '../../src/supernet/supernet.ts';
import { SEED, imagesArray, randomBatch, type Comparison, type Network } from './exchange.ts';

const PROBE_IMAGES = 4;
const XI = 0.1;

/** The meta gradient of a student and a teacher, and its formula alone at two made-up points. */
export function metaPart(
  supernet: Supernet,
  { student, teacher }: Network,
  labelSmoothing: number,
): Comparison {
  const { space } = supernet;
  const inputs = PROBE_IMAGES * space.classes;
  const phi = { ...createMetaNetwork(inputs, SEED), bias: 0.3 };
  const probe = randomBatch(space, PROBE_IMAGES, 'probes');
  const probabilities = randomProbabilities(PROBE_IMAGES, space.classes, 'entry');
  const merit = { accuracy: 0.5, crossEntropy: 1, macs: 1, since: 0 };
  const entry = { path: teacher, probabilities, ...merit };
  const training = randomBatch(space, 8, 'meta training');
  const validation = randomBatch(space, 16, 'meta validation');
  const gradient = differentiateMeta(
    supernet,
    phi,
    {
      student,
      teacher: { entry, rho: NaN }, // it computes rho itself
      probe,
      training,
      validation,
    },
    { xi: XI, metaLr: NaN, labelSmoothing },
  );
  const { description: stencil, arrays, formula } = madeUpStencil(inputs, phi);
  const vector = (name: string, values: NamedArray['values']): NamedArray => ({
    name,
    shape: [values.length],
    values,
  });
  return {
    description: {
      bound: SCORE_BOUND,
      xi: XI,
      bias: phi.bias,
      trainingLabels: [...training.labels],
      validationLabels: [...validation.labels],
      stencil,
    },
    inputs: [
      vector('meta weight', phi.weight),
      vector('meta stored', probabilities),
      imagesArray('meta probes', probe),
      imagesArray('meta training', training),
      imagesArray('meta validation', validation),
      ...arrays,
    ],
    results: [
      vector('meta gradient', Float64Array.of(...gradient.weight, gradient.bias)),
      vector('meta formula', Float64Array.of(...formula.weight, formula.bias)),
    ],
  };
}

/** The formula of the meta gradient between two points that no network has made. */
function madeUpStencil(inputs: number, phi: Parameters<typeof metaGradient>[0]) {
  const rng = createRng({ seed: SEED, stream: 'stencil', step: 0 });
  const pointOf = (kd: number, ce: number) => ({
    kd,
    ce,
    difference: new Float64Array(inputs).map(() => 0.1 * rng.normal()),
  });
  const [plus, minus, epsilon] = [pointOf(2.4, 1.7), pointOf(2.1, 1.9), 0.01];
  const side = ({ kd, ce }: typeof plus) => ({ kd, ce });
  return {
    description: { epsilon, plus: side(plus), minus: side(minus) },
    arrays: [
      { name: 'stencil plus', shape: [inputs], values: plus.difference },
      { name: 'stencil minus', shape: [inputs], values: minus.difference },
    ],
    formula: metaGradient(phi, { plus, minus, epsilon, xi: XI }),
  };
}

/** Softmax outputs of drawn scores, `[images * classes]`. */
function randomProbabilities(images: number, classes: number, stream: string): Float32Array {
  const rng = createRng({ seed: SEED, stream, step: 0 });
  const rows = Array.from({ length: images }, () => {
    const odds = Array.from({ length: classes }, () => Math.exp(rng.normal()));
    const sum = odds.reduce((a, b) => a + b);
    return odds.map((odd) => odd / sum);
  });
  return Float32Array.from(rows.flat());
}

/**
 * The meta update of the released code. It looks at the start of the training batch: S images to step
 * the student on, the next S as "validation" (defect D13).
 *
 * @see Cream lib/models/MetaMatchingNetwork.py @ 4a13c40, lines 100 to 130.
 */

import { sliceBatch, type Batch } from '../../data/stream/batch.ts';
import type { Engine } from '../../engine/engine.ts';
import type { Tensor } from '../../engine/ops.ts';
import type { Parameter } from '../../engine/parameter.ts';
import type { Path } from '../../searchspace/space.ts';
import { crossEntropyTo, numberOf } from '../../supernet/classification.ts';
import { imagesOf } from '../../supernet/inference.ts';
import type { Supernet } from '../../supernet/supernet.ts';
import type { Learner, PathGradients } from '../algorithm.ts';
import type { MetaParameters } from '../cream/meta-network.ts';
import { labelLoss } from '../stateless.ts';
import type { Board } from './board.ts';
import { lessonOf, type Lesson } from './lesson.ts';
import { distillationLoss } from './loss.ts';
import {
  clipGradient,
  metaGradient,
  stepMetaNetwork,
  zerosLike,
  type MetaNetwork,
  type StudentPoint,
} from './meta-network.ts';
import { differenceOf } from './teacher.ts';

/** What one meta update looks at. */
export interface MetaInput {
  readonly student: Path;
  readonly board: Board;
  readonly batch: Batch;
}

/** Numbers of the meta update. */
export interface MetaStepSettings {
  /** S, images of each slice. */
  readonly images: number;
  /** Current rate of the meta network, and size of the simulated student step (defect D9). */
  readonly rate: number;
  readonly labelSmoothing: number;
}

/**
 * Steps the student on rho KD of the first slice for good (defect D11), then phi along the gradient
 * of the label-smoothed loss of the second slice. phi is in the student's optimizer: the student's
 * step moves it by its momentum.
 *
 * @returns Null where the student's step was not finite; no weight has changed then.
 */
export function metaStep(
  learner: Learner,
  meta: MetaNetwork,
  { student, board, batch }: MetaInput,
  { images, rate, labelSmoothing }: MetaStepSettings,
): MetaNetwork | null {
  const { supernet } = learner;
  const training = sliceBatch(batch, 0, images);
  const lesson = lessonOf(supernet, meta, { student, board, images: training.images });
  if (lesson === null) return meta;
  const inner = learner.gradientsOf(student, training, distillationLoss(supernet, lesson));
  if (!learner.update([clipGradients(supernet.engine, inner)])) return null;

  const coasted = stepMetaNetwork(meta, zerosLike(meta), rate);
  const validation = sliceBatch(batch, images, 2 * images);
  const lossOf = labelLoss(learner, validation, labelSmoothing);
  const { gradients } = learner.gradientsOf(student, validation, lossOf);
  const point = { ...lesson, phi: coasted };
  const gradient = differentiateFirst(supernet, point, {
    images: training.images,
    gradients,
    xi: rate,
  });
  const isFinite = Number.isFinite(gradient.bias) && gradient.weight.every(Number.isFinite);
  return isFinite ? stepMetaNetwork(coasted, clipGradient(gradient), rate) : coasted;
}

/** What the meta-gradient is taken from. */
export interface MetaTarget {
  /** Of the first slice, `float32 [images, size, size, 3]`. */
  readonly images: Float32Array;
  /** Of the validation loss, by parameter. */
  readonly gradients: ReadonlyMap<Parameter, Tensor>;
  /** Size of the simulated step. */
  readonly xi: number;
}

/** eps = 2e-3 / |v|: between float32 cancellation and curvature. */
const REACH = 2e-3;

/**
 * -xi d/dphi <v, grad(rho KD)> over the student's first tensor alone, which is the stem's filter: the
 * rest of the validation gradient v is dropped (defect D9). No weight is changed.
 */
export function differentiateFirst(
  supernet: Supernet,
  lesson: Lesson,
  { images, gradients, xi }: MetaTarget,
): MetaParameters {
  const { engine } = supernet;
  const first = supernet.parametersOf(lesson.student)[0] as Parameter;
  const v = gradients.get(first) as Tensor;
  const epsilon = REACH / engine.norm([v]);
  const pointAt = (distance: number): StudentPoint => {
    const moved = engine.addScaled(first.value, distance, v);
    const point = studentPoint(supernet, lesson, images, { of: first, value: moved });
    engine.dispose([moved]);
    return point;
  };
  const stencil = { plus: pointAt(epsilon), minus: pointAt(-epsilon), epsilon, xi };
  return metaGradient(lesson.phi, stencil);
}

/** Distillation loss and probe difference with another value of one parameter. */
function studentPoint(
  supernet: Supernet,
  { student, last, teaching }: Lesson,
  images: Float32Array,
  other: { readonly of: Parameter; readonly value: Tensor },
): StudentPoint {
  const { engine } = supernet;
  const options = {
    weightOf: (parameter: Parameter) => (parameter === other.of ? other.value : parameter.value),
  };
  return engine.scope(() => {
    const logits = supernet.forward(imagesOf(supernet, images), student, options);
    const kd = numberOf(engine, crossEntropyTo(engine, logits, teaching));
    return { kd, difference: differenceOf(supernet, last, student, options) };
  });
}

const MAX_GRADIENT_NORM = 1;

/** The student's gradients scaled down to norm 1, whatever the config's own limit. */
function clipGradients(engine: Engine, part: PathGradients): PathGradients {
  const norm = engine.norm([...part.gradients.values()]);
  if (!(norm > MAX_GRADIENT_NORM)) return part;
  // Copies: what `part` holds stays the learner's, who frees it at the end of the step.
  const scaled = [...part.gradients].map(
    ([parameter, gradient]) =>
      [parameter, engine.math.multiply(gradient, MAX_GRADIENT_NORM / norm)] as const,
  );
  return { ...part, gradients: new Map(scaled) };
}

import type { Tensor } from '../../engine/ops.ts';
import type { Parameter } from '../../engine/parameter.ts';
import type { Path } from '../../searchspace/space.ts';
import type { PassOptions, Supernet } from '../../supernet/supernet.ts';
import { crossEntropyTo, numberOf, smoothedTargets } from '../../supernet/classification.ts';
import { imagesOf, predict } from '../../supernet/inference.ts';
import type { Batch } from '../../data/stream/batch.ts';
import {
  metaGradient,
  stepMetaNetwork,
  type MetaNetwork,
  type MetaParameters,
  type StudentPoint,
} from './meta-network.ts';
import type { Teacher } from './teacher.ts';
import { differenceTo } from './probes.ts';
import { combinedLoss, differentiableRho } from './loss.ts';

/** The pair and the data that one meta step looks at. */
export interface MetaInput {
  readonly student: Path;
  readonly teacher: Teacher;
  /** Images on which the entries' outputs were taken. */
  readonly probe: Batch;
  /** Slice of the training batch that the virtual step is taken on. */
  readonly training: Batch;
  /** Held-out images that judge the virtual step. */
  readonly validation: Batch;
}

/** Numbers of the meta step. */
export interface MetaStepSettings {
  /** Step size of the virtual student step: the student's current rate. */
  readonly xi: number;
  /** Learning rate of phi. */
  readonly metaLr: number;
  readonly labelSmoothing: number;
  /** Length of the finite-difference step, in units of the parameters' norm: eps = this / |v|. */
  readonly reach?: number;
}

/** eps = 2e-3 / |v|: between float32 cancellation and curvature. */
const REACH = 2e-3;

/** Lets phi learn from the validation loss of the student that it would make. */
export function metaStep(
  supernet: Supernet,
  phi: MetaNetwork,
  input: MetaInput,
  settings: MetaStepSettings,
): MetaNetwork {
  const gradient = differentiateMeta(supernet, phi, input, settings);
  const finite = Number.isFinite(gradient.bias) && gradient.weight.every(Number.isFinite);
  return finite ? stepMetaNetwork(phi, gradient, settings.metaLr) : phi;
}

/**
 * dJ/dphi, J = L_val(theta - xi grad l(theta, phi)), with first-order gradients and two forward
 * passes. No parameter and no running statistic is changed: the passes are given other values.
 */
export function differentiateMeta(
  supernet: Supernet,
  phi: MetaParameters,
  input: MetaInput,
  settings: MetaStepSettings,
): MetaParameters {
  const { engine } = supernet;
  const { student, validation } = input;
  const parameters = supernet.parametersOf(student);
  const values = parameters.map(({ value }) => value);
  const lesson = lessonOf(supernet, input, settings.labelSmoothing);

  const { xi } = settings;
  const inner = engine.differentiate(values, () => trainingLoss(supernet, phi, input, lesson));
  const stepped = values.map((value, i) => engine.addScaled(value, -xi, at(inner.gradients, i)));
  const v = engine.differentiate(stepped, () => {
    const options = { weightOf: lookUp(parameters, stepped) };
    const logits = supernet.forward(imagesOf(supernet, validation.images), student, options);
    const targets = smoothedTargets(validation.labels, supernet.space.classes, 0);
    return { loss: crossEntropyTo(engine, logits, targets) };
  });

  const epsilon = (settings.reach ?? REACH) / engine.norm(v.gradients);
  const pointAt = (distance: number): StudentPoint => {
    const moved = values.map((value, i) => engine.addScaled(value, distance, at(v.gradients, i)));
    const point = studentPoint(supernet, input, lesson, { weightOf: lookUp(parameters, moved) });
    engine.dispose(moved);
    return point;
  };
  const stencil = { plus: pointAt(epsilon), minus: pointAt(-epsilon), epsilon, xi };
  engine.dispose([inner.loss, ...inner.gradients, ...stepped, v.loss, ...v.gradients]);
  return metaGradient(phi, stencil);
}

/** Constants of the training slice. */
interface SliceTargets {
  /** Smoothed labels. */
  readonly labels: Float32Array;
  /** Teacher's softmax. */
  readonly teacher: Float32Array;
}

function lessonOf(supernet: Supernet, input: MetaInput, smoothing: number): SliceTargets {
  const { training, teacher } = input;
  return {
    labels: smoothedTargets(training.labels, supernet.space.classes, smoothing),
    teacher: predict(supernet, training.images, teacher.entry.path),
  };
}

/** l(theta) = (rho(theta) KD + (2 - rho(theta)) CE) / 2, with rho's dependence on theta kept. */
function trainingLoss(
  supernet: Supernet,
  phi: MetaParameters,
  { student, teacher, probe, training }: MetaInput,
  targets: SliceTargets,
): { loss: Tensor } {
  const { engine } = supernet;
  const logits = supernet.forward(imagesOf(supernet, training.images), student);
  const outputs = engine.ops.softmax(supernet.forward(imagesOf(supernet, probe.images), student));
  const rho = differentiableRho(engine, outputs, teacher.entry.probabilities, phi);
  const kd = crossEntropyTo(engine, logits, targets.teacher);
  return { loss: combinedLoss(engine, rho, kd, crossEntropyTo(engine, logits, targets.labels)) };
}

/** Losses on the training slice and the probe difference at given parameter values. */
function studentPoint(
  supernet: Supernet,
  { student, teacher, probe, training }: MetaInput,
  targets: SliceTargets,
  options: PassOptions,
): StudentPoint {
  const { engine } = supernet;
  return engine.scope(() => {
    const logits = supernet.forward(imagesOf(supernet, training.images), student, options);
    const probabilities = predict(supernet, probe.images, student, options);
    return {
      kd: numberOf(engine, crossEntropyTo(engine, logits, targets.teacher)),
      ce: numberOf(engine, crossEntropyTo(engine, logits, targets.labels)),
      difference: differenceTo(teacher.entry, probabilities),
    };
  });
}

function lookUp(
  parameters: readonly Parameter[],
  values: readonly Tensor[],
): (parameter: Parameter) => Tensor {
  const table = new Map(parameters.map((parameter, i) => [parameter, at(values, i)]));
  return (parameter) => table.get(parameter) ?? parameter.value;
}

function at(tensors: readonly Tensor[], index: number): Tensor {
  return tensors[index] as Tensor;
}

import type { Engine } from '../engine/engine.ts';
import type { Tensor } from '../engine/ops.ts';
import { sgdStep, type SgdOptions } from '../engine/parameter.ts';
import type { Path } from '../searchspace/space.ts';
import { RUNNING_FACTOR, type PassOptions, type Supernet } from '../supernet/supernet.ts';
import { accuracyOf, smoothedTargets } from './losses.ts';
import type { Batch } from './ports.ts';

/** What a teacher gives to one step. */
export interface Lesson {
  /** Teacher's softmax on the batch, `float32 [batch, classes]`. */
  readonly probabilities: Float32Array;
  /** Matching degree in (0, 1): a constant of the student's loss. Deviation D7. */
  readonly rho: number;
}

/** What one student step measured; plain numbers. */
export interface StudentResult {
  /** Combined loss, nats. */
  readonly loss: number;
  /** Distillation loss, nats; null without a teacher. */
  readonly kd: number | null;
  /** On the training batch, fraction. */
  readonly accuracy: number;
  /** Student's softmax in this very forward pass, `[batch, classes]`. */
  readonly probabilities: Float32Array;
}

/** Settings of the student's loss and optimizer. */
export interface StudentSettings extends SgdOptions {
  readonly labelSmoothing: number;
}

/**
 * Uploads the images of a batch, `float32 [batch, size, size, 3]`. The caller owns the tensor.
 */
export function imagesOf(supernet: Supernet, images: Float32Array): Tensor {
  const { imageSize } = supernet.space;
  const count = images.length / (imageSize * imageSize * 3);
  return supernet.engine.tensor(images, [count, imageSize, imageSize, 3]);
}

/** Softmax of one path on images, without gradient, `float32 [batch, classes]`. */
export function predict(
  supernet: Supernet,
  images: Float32Array,
  path: Path,
  options?: PassOptions,
): Float32Array {
  const { engine } = supernet;
  return engine.scope(() => {
    const logits = supernet.forward(imagesOf(supernet, images), path, options);
    return engine.read(engine.ops.softmax(logits));
  });
}

/**
 * One step of the sampled path: L = (rho KD + (2 - rho) CE) / 2, or CE where nobody teaches.
 * Only the parameters of the path and the running statistics of its batch norms change.
 *
 * @returns null, with nothing changed, where the loss or the norm of its gradient is not finite.
 */
export function trainStudent(
  supernet: Supernet,
  { path, batch, lesson }: { path: Path; batch: Batch; lesson: Lesson | null },
  settings: StudentSettings,
): StudentResult | null {
  const { engine, space } = supernet;
  const parameters = supernet.parametersOf(path);
  const running = supernet.running.draft();
  const record = { into: running, factor: RUNNING_FACTOR };
  const { loss, outputs, gradients } = engine.differentiate(
    parameters.map(({ value }) => value),
    () => {
      const images = imagesOf(supernet, batch.images);
      const logits = supernet.forward(images, path, { normalisation: { by: 'batch', record } });
      const targets = smoothedTargets(batch.labels, space.classes, settings.labelSmoothing);
      const ce = lossTo(engine, logits, targets);
      if (lesson === null) return { loss: ce, outputs: [logits] };
      const kd = lossTo(engine, logits, lesson.probabilities);
      return { loss: engine.blend(lesson.rho, kd, ce), outputs: [logits, kd] };
    },
  );
  const [logits, kd] = outputs as [Tensor, Tensor?];
  const result = {
    loss: numberOf(engine, loss),
    kd: kd === undefined ? null : numberOf(engine, kd),
    accuracy: accuracyOf(engine.read(logits), batch.labels),
    probabilities: engine.scope(() => engine.read(engine.ops.softmax(logits))),
  };
  engine.dispose([loss, ...outputs]);
  if (!Number.isFinite(result.loss) || !Number.isFinite(engine.norm(gradients))) {
    engine.dispose(gradients);
    running.dispose();
    return null;
  }
  running.commit();
  sgdStep(engine, parameters, gradients, settings);
  return result;
}

/**
 * Takes one student step of a path on black images and throws its gradients away. Done before a
 * search with the largest path, and with every candidate once, it makes the process take the memory
 * that it will need, and tells at once when there is too little.
 */
export function rehearseStep(supernet: Supernet, path: Path, batchSize: number): void {
  const { engine, space } = supernet;
  const images = new Float32Array(batchSize * space.imageSize ** 2 * 3);
  const targets = smoothedTargets(new Int32Array(batchSize), space.classes, 0);
  const { loss, gradients } = engine.differentiate(
    supernet.parametersOf(path).map(({ value }) => value),
    () => {
      const logits = supernet.forward(imagesOf(supernet, images), path);
      return { loss: lossTo(engine, logits, targets) };
    },
  );
  engine.dispose([loss, ...gradients]);
}

/** Mean soft cross-entropy of `logits [batch, classes]` to target numbers of the same shape. */
export function lossTo(engine: Engine, logits: Tensor, targets: Float32Array): Tensor {
  return engine.ops.softCrossEntropy(logits, engine.tensor(targets, logits.shape));
}

/** Value of a scalar; waits for the device. */
export function numberOf(engine: Engine, scalar: Tensor): number {
  return engine.read(scalar)[0] ?? NaN;
}

import type { Engine } from '../engine/engine.ts';
import type { Tensor } from '../engine/ops.ts';
import type { Parameter } from '../engine/parameter.ts';
import type { LossOf, PathGradients } from '../algorithms/algorithm.ts';
import type { Batch } from '../data/stream/batch.ts';
import type { Path } from '../searchspace/space.ts';
import { numberOf } from '../supernet/classification.ts';
import { imagesOf } from '../supernet/inference.ts';
import type { Statistics } from '../supernet/statistics.ts';
import { RUNNING_FACTOR, type Supernet } from '../supernet/supernet.ts';

/**
 * Gradients of a loss along one path. No parameter changes; the batch's moments are blended into
 * `running`. The caller owns the gradients.
 */
export function gradientsOf(
  supernet: Supernet,
  { path, batch }: { path: Path; batch: Pick<Batch, 'images'> },
  lossOf: LossOf,
  running: Statistics,
): PathGradients {
  const { engine } = supernet;
  const parameters = supernet.parametersOf(path);
  const record = { into: running, factor: RUNNING_FACTOR };
  let names: readonly string[] = [];
  const { loss, outputs, gradients } = engine.differentiate(
    parameters.map(({ value }) => value),
    () => {
      const images = imagesOf(supernet, batch.images);
      const logits = supernet.forward(images, path, { normalisation: { by: 'batch', record } });
      const { loss: value, outputs: named = {} } = lossOf(logits);
      names = Object.keys(named);
      return { loss: value, outputs: Object.values(named) };
    },
  );
  const result = {
    path,
    loss: numberOf(engine, loss),
    outputs: Object.fromEntries(
      names.map((name, i) => [name, engine.read(outputs[i] as Tensor)] as const),
    ),
    gradients: new Map(parameters.map((parameter, i) => [parameter, gradients[i] as Tensor])),
  };
  engine.dispose([loss, ...outputs]);
  return result;
}

/**
 * Sums of gradients by parameter, over the paths that have it. Takes over the parts. The caller owns
 * the sums.
 */
export function addGradients(
  engine: Engine,
  parts: readonly PathGradients['gradients'][],
): Map<Parameter, Tensor> {
  const sums = new Map<Parameter, Tensor>();
  for (const part of parts) {
    for (const [parameter, gradient] of part) {
      const sum = sums.get(parameter);
      sums.set(parameter, sum === undefined ? gradient : engine.addScaled(sum, 1, gradient));
      if (sum !== undefined) engine.dispose([sum, gradient]);
    }
  }
  return sums;
}

/** All gradients times a number. Takes over the gradients. The caller owns the results. */
export function scaleAll(engine: Engine, gradients: readonly Tensor[], factor: number): Tensor[] {
  const scaled = gradients.map((gradient) => engine.math.multiply(gradient, factor));
  engine.dispose(gradients);
  return scaled;
}

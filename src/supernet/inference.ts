import type { Tensor } from '../engine/ops.ts';
import type { Path } from '../searchspace/space.ts';
import type { PassOptions, Supernet } from './supernet.ts';

/** Uploads images, `float32 [batch, size, size, 3]`. The caller owns the tensor. */
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

import type { Path } from '../searchspace/space.ts';
import { crossEntropyTo, smoothedTargets } from '../supernet/classification.ts';
import type { Supernet } from '../supernet/supernet.ts';
import { gradientsOf } from './gradients.ts';

/**
 * Takes the gradients of a path on black images and throws them away. Done before a search with the
 * largest path, and with every candidate once, it makes the process take the memory that it will
 * need, and tells at once when there is too little.
 */
export function warmUpStep(supernet: Supernet, path: Path, batchSize: number): void {
  const { engine, space } = supernet;
  const images = new Float32Array(batchSize * space.imageSize ** 2 * 3);
  const targets = smoothedTargets(new Int32Array(batchSize), space.classes, 0);
  const running = supernet.running.draft();
  const { gradients } = gradientsOf(
    supernet,
    { path, batch: { images } },
    (logits) => ({ loss: crossEntropyTo(engine, logits, targets) }),
    running,
  );
  engine.dispose(gradients.values());
  running.dispose();
}

/** Few paths that together take every candidate of every block: each shape is met once. */
export function coveringPaths({ space: { choices } }: Supernet): Path[] {
  const most = Math.max(...choices.map(({ candidates }) => candidates.length));
  return Array.from({ length: most }, (_, index) =>
    choices.map(({ candidates }) => Math.min(index, candidates.length - 1)),
  );
}

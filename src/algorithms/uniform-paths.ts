import { createRng } from '../foundation/rng.ts';
import { samplePath } from '../searchspace/sampler.ts';
import type { Algorithm, Setting } from './algorithm.ts';
import { pathsPerStep, shareOut } from './shares.ts';
import { labelLoss, statelessAlgorithm, type Stateless } from './stateless.ts';

/** Trains paths that are drawn independently, each on its share of the batch, in one update. */
export function uniformPaths({ space, config, sampling }: Setting): Algorithm<Stateless> {
  const { seed, labelSmoothing } = config;
  const count = pathsPerStep(config);
  return statelessAlgorithm((state, { step, batch, learner }) => {
    const rng = createRng({ seed, stream: 'path', step });
    const paths = Array.from({ length: count }, () => samplePath(space, sampling, rng));
    const trained = shareOut(paths, batch).map(({ path, share }) =>
      learner.gradientsOf(path, share, labelLoss(learner, share, labelSmoothing)),
    );
    const isFinite = learner.update(trained);
    const loss = trained.reduce((sum, part) => sum + part.loss, 0) / trained.length;
    return { next: isFinite ? state : null, loss, paths, images: batch.count };
  });
}

/**
 * Random search with weight sharing: the supernet is trained as by `spos`, and the answer is the best of
 * random paths. What a search on top of it does better is what that search is worth.
 *
 * @see Li and Talwalkar, "Random Search and Reproducibility for Neural Architecture Search" (UAI 2019).
 */

import type { AlgorithmDefinition } from '../algorithm.ts';
import { spos } from '../spos/spos.ts';
import type { Stateless } from '../stateless.ts';

/** Random paths, in training and as the answer. */
export const random: AlgorithmDefinition<Stateless> = {
  ...spos,
  paper:
    'Li and Talwalkar, "Random Search and Reproducibility for Neural Architecture Search" (UAI 2019)',
  selection: 'random',
};

import { TrialError } from '../foundation/errors.ts';
import { createRng, type Rng } from '../foundation/rng.ts';
import {
  admits,
  costEnds,
  describeBudget,
  extremeNetwork,
  limitingRanges,
  type Budget,
  type CostRange,
} from './budget.ts';
import { macsModel, paramsModel } from './cost-model.ts';
import { coverOf, draftPath, mostMisses, samplePath, type SamplerOptions } from './sampler.ts';
import type { Path, SearchSpace } from './space.ts';

/** A network and its multiply-accumulates. */
export interface Extreme {
  readonly path: Path;
  readonly macs: number;
}

/** How much of a space a budget admits. */
export interface Feasibility {
  readonly smallest: Extreme;
  readonly largest: Extreme;
  /** Fewest and most parameters of a network. */
  readonly params: readonly [number, number];
  /** Fraction of the networks of the space that are inside the budget. */
  readonly share: number;
  /** Ends of the 95 % Wilson interval of an estimated share; both the share itself when exact. */
  readonly shareInterval: readonly [number, number];
  /** Whether all networks were counted rather than a sample of them. */
  readonly exact: boolean;
}

/** Draws that estimate a share, and fewer in long networks. */
const SAMPLES = 20_000;
const NORMAL_97_5 = 1.959964;

function openRng(): Rng {
  return createRng({ seed: 0, stream: 'feasibility', step: 0 });
}

/** How many of some networks near the budget are inside. */
function countHits(space: SearchSpace, sampling: SamplerOptions, samples: number): number {
  const rng = openRng();
  let hits = 0;
  for (let sample = 0; sample < samples; sample++) {
    if (admits(sampling.budget, draftPath(space, sampling, rng))) hits++;
  }
  return hits;
}

/** @see Wilson, "Probable inference, the law of succession, and statistical inference" (1927). */
function wilsonInterval(share: number, samples: number): readonly [number, number] {
  const z2 = NORMAL_97_5 ** 2 / samples;
  const centre = share + z2 / 2;
  const spread = Math.sqrt(z2 * (share * (1 - share) + z2 / 4));
  return [Math.max(0, (centre - spread) / (1 + z2)), Math.min(1, (centre + spread) / (1 + z2))];
}

function isEmpty(range: CostRange): boolean {
  const [smallest, largest] = costEnds(range);
  return range.max < smallest || range.min > largest || range.min > range.max;
}

/** Share of the networks inside the budget, or null if there is provably none. */
function admittedShare(
  space: SearchSpace,
  budget: Budget,
): Pick<Feasibility, 'share' | 'shareInterval' | 'exact'> | null {
  if (budget.ranges.some(isEmpty)) return null;
  const sampling = { budget, prior: null };
  const cover = coverOf(space, sampling);
  if (cover?.isEmpty === true) return null;
  const share = cover?.share ?? 1;
  const isCounted = limitingRanges(budget).every(
    ({ model }) => model.table !== null && cover?.isExact === true,
  );
  if (isCounted) return { share, shareInterval: [share, share], exact: true };
  const samples = Math.min(SAMPLES, mostMisses(space));
  const hits = countHits(space, sampling, samples) / samples;
  const [low, high] = wilsonInterval(hits, samples);
  return { share: share * hits, shareInterval: [share * low, share * high], exact: false };
}

/** Range of the networks' costs by each model of a budget. */
function describeEnds({ ranges }: Budget): string {
  return ranges
    .map((range) => {
      const [smallest, largest] = costEnds(range);
      return `from ${smallest} to ${largest} ${range.model.unit}`;
    })
    .join(', ');
}

/**
 * Finds the smallest and the largest network of a space and the share that a budget admits: exact
 * where the different totals are few enough to count, else estimated from a fixed sample.
 *
 * @param prior - Of the paths that will be drawn; the share is that of all networks.
 * @throws TrialError BUDGET_UNREACHABLE when no network is inside the budget, or none that the prior
 *   allows, or when none is found as {@link samplePath} tells.
 */
export function feasibility(
  space: SearchSpace,
  budget: Budget,
  prior: SamplerOptions['prior'] = null,
): Feasibility {
  const share = admittedShare(space, budget);
  if (share === null) {
    throw new TrialError('BUDGET_UNREACHABLE', {
      where: describeBudget(budget),
      wanted: `room for a network of "${space.name}", ${describeEnds(budget)}`,
      found: 'none inside',
      next: 'Change the budget so that it holds networks of the space',
    });
  }
  if (prior !== null || share.share === 0) samplePath(space, { budget, prior }, openRng());
  const macs = macsModel(space);
  const byMacs = (pick: typeof Math.min): Extreme => {
    const { path } = extremeNetwork(macs.table, pick);
    return { path, macs: macs.cost(path) };
  };
  const params = costEnds({ model: paramsModel(space), min: 0, max: Infinity });
  return { smallest: byMacs(Math.min), largest: byMacs(Math.max), params, ...share };
}

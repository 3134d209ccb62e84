import { macsModel, paramsModel, type CostModel, type CostTable } from './cost-model.ts';
import type { Path, SearchSpace } from './space.ts';

/** Allowed costs of a network by one model, both ends included. */
export interface CostRange {
  readonly model: CostModel;
  readonly min: number;
  /** `Infinity` for no upper end. */
  readonly max: number;
}

/** Ranges that a network must keep to; without any it admits all networks. */
export interface Budget {
  readonly ranges: readonly CostRange[];
}

/** The budget that admits every network. */
export const OPEN_BUDGET: Budget = { ranges: [] };

/** The multiply-accumulates of a trial config as a budget. */
export function macsBudget(
  space: SearchSpace,
  { minMacs, maxMacs }: { readonly minMacs: number; readonly maxMacs: number },
): Budget {
  return { ranges: [{ model: macsModel(space), min: minMacs, max: maxMacs }] };
}

/** Limits of a trial config: multiply-accumulates and parameters of a network. */
export interface CostLimits {
  readonly minMacs: number;
  readonly maxMacs?: number;
  readonly minParams: number;
  readonly maxParams?: number;
}

/** All limits of a trial config as a budget; parameters that nothing limits are left out. */
export function networkBudget(space: SearchSpace, limits: CostLimits): Budget {
  const { minMacs, maxMacs = Infinity, minParams, maxParams = Infinity } = limits;
  const params = { model: paramsModel(space), min: minParams, max: maxParams };
  const isLimited = minParams > 0 || maxParams < Infinity;
  const { ranges } = macsBudget(space, { minMacs, maxMacs });
  return { ranges: isLimited ? [...ranges, params] : ranges };
}

/** Whether a cost lies in a range. */
export function isInRange({ min, max }: Omit<CostRange, 'model'>, cost: number): boolean {
  return cost >= min && cost <= max;
}

/** Whether a network keeps to every range of a budget. */
export function admits({ ranges }: Budget, path: Path): boolean {
  return ranges.every((range) => isInRange(range, range.model.cost(path)));
}

/** The cheapest or the dearest network of a table: costs add up, so it is that in every block. */
export function extremeNetwork(
  { fixed, choices }: CostTable,
  pick: (...costs: readonly number[]) => number,
): { readonly path: Path; readonly cost: number } {
  const path = choices.map((costs) => costs.indexOf(pick(...costs)));
  const cost = choices.reduce((total, costs) => total + pick(...costs), fixed);
  return { path, cost };
}

/** Smallest and largest cost of a network; unbounded if costs do not add up. */
export function costEnds({ model: { table } }: CostRange): readonly [number, number] {
  if (table === null) return [-Infinity, Infinity];
  return [extremeNetwork(table, Math.min).cost, extremeNetwork(table, Math.max).cost];
}

/** The ranges of a budget that may leave networks out. */
export function limitingRanges({ ranges }: Budget): readonly CostRange[] {
  return ranges.filter((range) => !costEnds(range).every((end) => isInRange(range, end)));
}

/** Text of a budget under the keys of a trial config: `minMacs 0, maxMacs 60000000`. */
export function describeBudget({ ranges }: Budget): string {
  if (ranges.length === 0) return 'no budget';
  return ranges
    .map(({ model: { name }, min, max }) => {
      const key = name.charAt(0).toUpperCase() + name.slice(1);
      const upper = Number.isFinite(max) ? `, max${key} ${max}` : '';
      return `min${key} ${min}${upper}`;
    })
    .join(', ');
}

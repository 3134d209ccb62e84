import { macsModel, type CostModel } from './cost-model.ts';
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

/** Whether a cost lies in a range. */
export function isInRange({ min, max }: Omit<CostRange, 'model'>, cost: number): boolean {
  return cost >= min && cost <= max;
}

/** Whether a network keeps to every range of a budget. */
export function admits({ ranges }: Budget, path: Path): boolean {
  return ranges.every((range) => isInRange(range, range.model.cost(path)));
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

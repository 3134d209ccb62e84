/** What networks cost, in any unit: a budget is kept over these models and over nothing else. */
import { macsOf, operationCost, type Cost } from './cost.ts';
import type { Block, Path, SearchSpace } from './space.ts';

/**
 * What the networks of one space cost in one respect.
 *
 * To add one, such as the latency of a device: fill a {@link CostTable} with what was measured for
 * each candidate in its block and pass it to {@link additiveModel}. A cost that does not add up
 * over blocks is a model too, with its own `cost` and no table: budgets keep to it, only shares
 * of a space are then estimated instead of counted.
 */
export interface CostModel {
  /** One lower-case word, such as `macs`; `minMacs` and `maxMacs` bound it in a trial config. */
  readonly name: string;
  /** Unit in the plural, such as `multiply-accumulates`. */
  readonly unit: string;
  /**
   * Cost of one network for one image, in the model's unit.
   *
   * @throws RangeError when the path is not one of the model's space.
   */
  readonly cost: (path: Path) => number;
  /** The parts that costs are sums of; null for a model whose costs do not add up. */
  readonly table: CostTable | null;
}

/** A model whose costs are sums of a table's entries. */
export interface AdditiveCostModel extends CostModel {
  readonly table: CostTable;
}

/** Costs that add up over blocks. */
export interface CostTable {
  /** What all networks of the space spend on their fixed blocks. */
  readonly fixed: number;
  /** Cost of each candidate of each labelled block, in the order of the space. */
  readonly choices: readonly (readonly number[])[];
}

/** Cost of one path as the sum of its candidates' costs. */
function addUp({ fixed, choices }: CostTable, path: Path): number {
  if (path.length !== choices.length) {
    throw new RangeError(`a path of ${path.length} in a space of ${choices.length} choices`);
  }
  return choices.reduce((total, costs, i) => {
    const cost = costs[path[i] ?? NaN];
    if (cost === undefined) throw new RangeError(`choice ${i}: no candidate ${path[i]}`);
    return total + cost;
  }, fixed);
}

/** The model of a table: a path costs its fixed blocks and its candidates. */
export function additiveModel(
  { name, unit }: Pick<CostModel, 'name' | 'unit'>,
  table: CostTable,
): AdditiveCostModel {
  return { name, unit, table, cost: (path) => addUp(table, path) };
}

/** Computes what every candidate costs in its place, once. */
function costTable(space: SearchSpace, costOf: (cost: Cost) => number): CostTable {
  const candidateCosts = ({ candidates, input }: Block): readonly number[] =>
    candidates.map(({ operation }) => costOf(operationCost(operation, input)));
  const fixed = space.blocks.filter(({ label }) => label === null).flatMap(candidateCosts);
  return {
    fixed: fixed.reduce((total, cost) => total + cost, 0),
    choices: space.choices.map(candidateCosts),
  };
}

/** Multiply-accumulates of convolutions and linear layers; exact integers. */
export function macsModel(space: SearchSpace): AdditiveCostModel {
  const table = costTable(space, macsOf);
  return additiveModel({ name: 'macs', unit: 'multiply-accumulates' }, table);
}

/** Weights, biases, and the scale and shift of batch norm; exact integers. */
export function paramsModel(space: SearchSpace): AdditiveCostModel {
  const table = costTable(space, ({ params }) => params);
  return additiveModel({ name: 'params', unit: 'parameters' }, table);
}

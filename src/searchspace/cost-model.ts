/** Cost models of networks, in any unit; budgets are defined over these models. */
import { macsOf, operationCost, type Cost } from './cost.ts';
import type { Block, Path, SearchSpace } from './space.ts';

/**
 * One kind of cost of a space's networks.
 *
 * To add one, such as the latency of a device, fill a {@link CostTable} with measurements of each
 * candidate in its block and pass it to {@link additiveModel}. A cost that does not add up over blocks
 * is a model with its own `cost` and no table: budgets respect it, and shares of a space are estimated
 * instead of counted.
 */
export interface CostModel {
  /** One lower-case word, such as `macs`; `minMacs` and `maxMacs` bound it in a trial config. */
  readonly name: string;
  /** Unit in the plural, such as `multiply-accumulates`. */
  readonly unit: string;
  /**
   * Cost of one network for one image, in the model's unit.
   *
   * @throws RangeError when the path is not in the model's space.
   */
  readonly cost: (path: Path) => number;
  /** The terms of the costs; null if costs do not add up. */
  readonly table: CostTable | null;
}

/** A model whose costs are sums of a table's entries. */
export interface AdditiveCostModel extends CostModel {
  readonly table: CostTable;
}

/** Costs that add up over blocks. */
export interface CostTable {
  /** Cost of the fixed blocks, the same for all networks. */
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

/** Computes the cost of every candidate in its place, once. */
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

/** Scores that need no training: a supernet that has learnt to rank beats them. */
import { macsModel, paramsModel } from '../searchspace/cost-model.ts';
import { isSameShape } from '../searchspace/operations.ts';
import type { Block, Path, SearchSpace } from '../searchspace/space.ts';

/** What a network scores without training, more being better. */
export interface Floors {
  readonly macs: number;
  readonly params: number;
  /** Blocks that are no identity. */
  readonly depth: number;
  /** Sum over stages of log(1 + blocks that are no identity). */
  readonly logDepth: number;
}

/**
 * Number of the stage that each labelled block is in. A stage starts at each change of the shape:
 * then all paths of one network have the same depths.
 */
function stagesOf(choices: readonly Block[]): readonly number[] {
  let stage = 0;
  return choices.map(({ input, output }) => (stage += isSameShape(input, output) ? 0 : 1));
}

/** Makes the scores of a space's networks that follow from the path alone. */
export function floorsOf(space: SearchSpace): (path: Path) => Floors {
  const [macs, params] = [macsModel(space), paramsModel(space)];
  const stages = stagesOf(space.choices);
  const isWork = space.choices.map(({ candidates }) =>
    candidates.map(({ operation }) => operation.kind !== 'identity'),
  );
  return (path) => {
    const working = stages.filter((_, i) => isWork[i]?.[path[i] ?? NaN] === true);
    const depths = [...new Set(working)].map(
      (stage) => working.filter((each) => each === stage).length,
    );
    return {
      macs: macs.cost(path),
      params: params.cost(path),
      depth: working.length,
      logDepth: depths.reduce((sum, depth) => sum + Math.log1p(depth), 0),
    };
  };
}

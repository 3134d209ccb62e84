/** Picks an architecture from a trained supernet once more, such as for another budget. */

import { TrialError } from '../foundation/errors.ts';
import type { Evaluation } from '../generated/evaluation.ts';
import { writeArchitectures } from '../run-folder/artifacts.ts';
import { openScores } from '../run-folder/scores.ts';
import type { Path } from '../searchspace/space.ts';
import { Scorer } from '../selection/scorer.ts';
import { select } from '../selection/selection.ts';
import { measure } from './evaluate.ts';
import { inheritWeights } from './inheritance.ts';
import type { TaskHost } from './task.ts';
import { pauseFor, type Workspace } from './workspace.ts';

/**
 * Picks the best path within the config's budget, by `mainEffects` unless the config says otherwise,
 * and measures it; reuses earlier scores. The weights may be of a search within another budget.
 *
 * @throws TrialError CONFIG_INVALID for the strategy `board`: a supernet alone has none.
 */
export async function selectAgain(workspace: Workspace, host: TaskHost): Promise<Evaluation> {
  const { config, space, output } = workspace;
  refuseBoard(config.selection.strategy);
  const weights = await inheritWeights(workspace, host);
  const connection = await host.connect(output);
  try {
    const path = await pick(workspace, weights.sha256, host);
    await writeArchitectures(output, { space, path });
    return await measure({ path, weights }, workspace, { ...host, connection });
  } finally {
    await connection.close();
  }
}

async function pick(
  { config, space, sampling, images, supernet, output }: Workspace,
  weights: string,
  host: TaskHost,
): Promise<Path> {
  const { scoreBy, seed, selection } = config;
  const cache = openScores(output, host.logger);
  const scorer = new Scorer({ supernet, heldOut: images.heldOut, cache, scoreBy });
  const pause = (): Promise<void> => pauseFor(host);
  const occasion = { weights, images: selection.images ?? Infinity, pause };
  const [best] = await select(selection.strategy ?? 'mainEffects', {
    space,
    sampling,
    seed,
    settings: selection,
    candidates: [],
    lossOf: (score) => scorer.lossOf(score),
    compare: (a, b) => scorer.compare(a, b),
    rank: (paths) => scorer.rank(paths, occasion),
  });
  if (best === undefined) throw new RangeError('a selection without a path');
  return best.path;
}

function refuseBoard(strategy: string | undefined): void {
  if (strategy !== 'board') return;
  throw new TrialError('CONFIG_INVALID', {
    where: 'selection.strategy',
    wanted: 'mainEffects, evolution or random: a board is of a search, not of its weights',
    found: strategy,
    next: 'Leave it out, or set it to mainEffects',
  });
}

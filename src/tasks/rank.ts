/** A rank study: how well scores with inherited weights order networks of known accuracy. */

import { join } from 'node:path';
import { writeAtomically } from '../foundation/atomic-file.ts';
import { readText } from '../foundation/documents.ts';
import type { RankReport } from '../generated/rank.ts';
import { parseRankReport, RANK_FILES } from '../run-folder/study-result.ts';
import { openScores } from '../run-folder/scores.ts';
import { chooseNets } from '../ranking-study/choose.ts';
import { rankCsv } from '../ranking-study/render.ts';
import { rankReport, type ScoredNet } from '../ranking-study/report.ts';
import { rankScatter } from '../ranking-study/scatter.ts';
import { readTable } from '../ranking-study/table.ts';
import { Scorer } from '../selection/scorer.ts';
import { inheritWeights, requireKey } from './inheritance.ts';
import type { TaskHost } from './task.ts';
import { pauseFor, type Workspace } from './workspace.ts';

/** Scores networks of the config's table; reuses earlier scores. */
export async function rank(workspace: Workspace, host: TaskHost): Promise<RankReport> {
  const { config, space, images, supernet, output } = workspace;
  const { logger, clock } = host;
  const file = requireKey(config.rank.table, 'rank.table', 'a file of true accuracies');
  const rows = readTable(space, await readText(file), file);
  const { nets = rows.length, seed } = config.rank;
  const chosen = chooseNets(rows, nets, seed);
  const { sha256 } = await inheritWeights(workspace, host);
  const connection = await host.connect(output);
  try {
    const cache = openScores(output, logger);
    const { scoreBy } = config;
    const scorer = new Scorer({ supernet, heldOut: images.heldOut, cache, scoreBy });
    const occasion = { weights: sha256, images: Infinity, pause: () => pauseFor(host) };
    const started = clock();
    const scored: ScoredNet[] = [];
    for (const { path, accuracy: trueAccuracy } of chosen) {
      const { accuracy, crossEntropy } = await scorer.score(path, occasion);
      scored.push({ path, trueAccuracy, accuracy, crossEntropy });
      if (isTenth(scored.length, chosen.length)) {
        logger.log('info', `scored ${scored.length} of ${chosen.length} networks`);
      }
    }
    const seconds = (clock() - started) / 1000;
    const table = { file, nets: rows.length };
    const report = rankReport(space, scored, { table, seed, seconds });
    await connection.emit({ kind: 'answer', metrics: metricsOf(report) });
    await writeReport(output, report);
    await connection.settle();
    return report;
  } finally {
    await connection.close();
  }
}

/** Whether another tenth of the work is done. */
function isTenth(done: number, all: number): boolean {
  return Math.floor((10 * done) / all) > Math.floor((10 * (done - 1)) / all);
}

/** Kendall tau of each score; 0 if undefined. */
function metricsOf({ scores }: RankReport): { default: number } & Record<string, number> {
  const taus = scores.map(({ name, kendallTau }) => [name, kendallTau.value ?? 0] as const);
  const { crossEntropy = 0, ...others } = Object.fromEntries(taus);
  return { default: crossEntropy, ...others };
}

async function writeReport(output: string, report: RankReport): Promise<void> {
  await writeAtomically(join(output, RANK_FILES.csv), rankCsv(report));
  await writeAtomically(join(output, RANK_FILES.plot), rankScatter(report));
  const file = join(output, RANK_FILES.report);
  await writeAtomically(file, `${JSON.stringify(parseRankReport(report, file), null, 2)}\n`);
}

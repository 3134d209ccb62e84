/** A search: trains a supernet, picks the answer from it, and writes the result. */

import type { Score } from '../algorithms/algorithm.ts';
import type { Metrics } from '../foundation/metrics.ts';
import type { SearchResult } from '../generated/result.ts';
import { writeArtifacts } from '../run-folder/artifacts.ts';
import { macsModel } from '../searchspace/cost-model.ts';
import { closeCalls } from '../selection/close-calls.ts';
import type { Occasion } from '../selection/scorer.ts';
import { select } from '../selection/selection.ts';
import { emitToAll, type Emit } from '../training/events.ts';
import { train } from '../training/loop.ts';
import { pathsToRank } from '../training/report.ts';
import type { SearchState } from '../training/state.ts';
import { weightsOf } from '../training/stability.ts';
import { confirmAnswer, testAnswer, type Confirmation } from './confirmation.ts';
import { openTrainingBatches } from './images.ts';
import { memoryWatch } from './memory.ts';
import { describeSearch, summaryLine } from './search-result.ts';
import { openSession, startOrGoOn, type Session } from './session.ts';
import type { TaskHost } from './task.ts';
import { pauseFor, type Workspace } from './workspace.ts';

/** The scored paths of the selection, best first. */
type Found = readonly [answer: Score, ...others: Score[]];

/** Runs a search; resumes that of an earlier process. */
export async function search(workspace: Workspace, host: TaskHost): Promise<SearchResult> {
  const { space, output } = workspace;
  const session = openSession(workspace, host);
  const { start, saver } = await startOrGoOn(session, host);
  const connection = await host.connect(output);
  try {
    const state = await trainFrom(
      start,
      { ...session, keeper: saver, emit: connection.emit },
      host,
    );
    const occasion = selectionOccasion(state, session, host);
    const scores = await pickAnswer(state, session, occasion);
    const close = await closeCalls(scores, session.scorer, occasion);
    const { path } = scores[0];
    const { weightOf } = session.plan.optimizer;
    const trained = { ...workspace, weightOf };
    const confirmation = await confirmAnswer(path, trained, host);
    await connection.emit({ kind: 'answer', metrics: answerMetrics(state, confirmation) });
    const testAccuracy = await testAnswer(path, trained, host);
    const found = { scores, close, confirmation, testAccuracy };
    const result = describeSearch(state, found, session, host);
    await writeArtifacts(output, result, { space, path });
    const trainingMs = state.time.trainingMs - start.time.trainingMs;
    const saving = saver.spentMs / Math.max(1, trainingMs);
    host.logger.log(
      'info',
      `${summaryLine(state, result, session)}, ${percent(saving)} checkpoints`,
    );
    await connection.settle();
    return result;
  } finally {
    await connection.close();
  }
}

/** Trains to the end of the last epoch. */
async function trainFrom(
  start: SearchState,
  training: Session & { keeper: Parameters<typeof train>[1]['keeper']; emit: Emit },
  host: TaskHost,
): Promise<SearchState> {
  const { workspace, algorithm, plan, scorer, keeper } = training;
  const { clock } = host;
  const { images, config, sampling } = workspace;
  const batches = openTrainingBatches(images, config, { ...plan, clock });
  const emit = emitToAll(training.emit, memoryWatch(start, plan, host));
  await emit({ kind: 'started', plan, step: start.step });
  try {
    const skipped = images.dataset.skipped.length;
    const shown = { batches, heldOut: images.heldOut, skipped };
    return await train(start, {
      algorithm,
      plan,
      sampling,
      images: shown,
      scorer,
      keeper,
      emit,
      clock,
    });
  } finally {
    await emit({ kind: 'stopped' });
    await batches.close();
  }
}

/** The trained weights, and the images that the answer is selected on. */
function selectionOccasion(
  state: SearchState,
  { workspace: { config } }: Session,
  host: TaskHost,
): Occasion {
  return {
    weights: weightsOf(state),
    images: config.selection.images ?? Infinity,
    pause: () => pauseFor(host),
  };
}

/** Selects among the algorithm's candidates, random paths or descendants. */
async function pickAnswer(
  state: SearchState,
  { workspace, algorithm, plan, scorer, strategy }: Session,
  occasion: Occasion,
): Promise<Found> {
  const { config, space, sampling } = workspace;
  const last = { seed: plan.seed, sampling, epoch: plan.epochs - 1 };
  const scores = await select(strategy, {
    space,
    sampling,
    seed: plan.seed,
    settings: config.selection,
    candidates: pathsToRank(state, algorithm, last),
    lossOf: (score) => scorer.lossOf(score),
    compare: (a, b) => scorer.compare(a, b),
    rank: (paths) => scorer.rank(paths, occasion),
  });
  return scores as Found;
}

/** The last epoch's metrics with the answer, as it was confirmed, in place of the best candidate. */
function answerMetrics({ reports, supernet }: SearchState, { answer }: Confirmation): Metrics {
  const bestMacs = macsModel(supernet.space).cost(answer.path);
  return { ...(reports.at(-1) as Metrics), default: answer.accuracy, bestMacs };
}

function percent(fraction: number): string {
  return `${(100 * fraction).toFixed(2)} %`;
}

/** The way of a task's events to NNI and to the person who watches. */

import { join } from 'node:path';
import { TrialError } from '../foundation/errors.ts';
import { History, UNDELIVERED_FILE } from '../run-folder/history.ts';
import type { Connection } from '../tasks/task.ts';
import { emitToAll, type Emit } from '../training/events.ts';
import { type Outbox, openOutbox, type OutboxOptions } from './outbox.ts';
import { createReporter, type Reporter } from './reporter.ts';

/** Time for NNI to take the metrics of a finished task. */
const DELIVERY_LIMIT_MS = 60_000;

/** Opens the outbox of a folder. Events go to NNI and to the progress display. */
export async function connect(
  folder: string,
  options: Omit<OutboxOptions, 'history'>,
  progress: Emit,
): Promise<Connection> {
  const history = await History.open(folder);
  const outbox = await openOutbox({ ...options, history });
  const reporter = createReporter({ outbox, history, source: options, now: options.now });
  return {
    emit: emitToAll(progress, reportTo(reporter)),
    settle: () => settle(outbox, folder),
    close: () => outbox.close(),
  };
}

/** Reports epochs and the answer to NNI. */
function reportTo(reporter: Reporter): Emit {
  return async (event) => {
    if (event.kind === 'epoch') await reporter.intermediate(event.metrics, event.epoch);
    if (event.kind === 'answer') await reporter.final(event.metrics);
  };
}

/** Waits for the delivery: a trial succeeds only if NNI has all of its metrics. */
async function settle(outbox: Outbox, folder: string): Promise<void> {
  const undelivered = await outbox.flush(DELIVERY_LIMIT_MS);
  if (undelivered === 0) return;
  throw new TrialError('METRICS_UNDELIVERED', {
    where: join(folder, UNDELIVERED_FILE),
    wanted: 'NNI to have all metrics of the finished task',
    found: `${undelivered} that it does not have, or not for sure`,
    next: `When the manager runs again: nni-cream replay ${folder}`,
  });
}

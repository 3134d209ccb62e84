import { SingleBar } from 'cli-progress';
import type { Logger } from '../foundation/logger.ts';
import type { Metrics } from '../foundation/metrics.ts';
import type { Emit } from '../training/events.ts';
import type { TrainingPlan } from '../training/plan.ts';
import type { SearchState } from '../training/state.ts';

/** Where progress is shown. */
export interface ProgressOptions {
  readonly logger: Logger;
  /** Terminal for a progress bar; null for log lines only. */
  readonly terminal: NodeJS.WriteStream | null;
}

/** Shows epoch, throughput, loss, best accuracy and the time left. */
export function createProgress({ logger, terminal }: ProgressOptions): Emit {
  const lines = epochLines(logger);
  return terminal === null ? lines : withBar(lines, terminal);
}

function epochLines(logger: Logger): Emit {
  let epochs = 0;
  return (event) => {
    if (event.kind === 'started') {
      ({ epochs } = event.plan);
      logger.log('info', planLine(event.plan));
    }
    if (event.kind === 'epoch' && !event.isRepeated) {
      logger.log('info', `epoch ${event.epoch + 1}/${epochs}: ${metricsText(event.metrics)}`);
      if (event.note !== '') logger.log('info', event.note);
    }
  };
}

function planLine({ epochs, stepsPerEpoch, batchSize, rate }: TrainingPlan): string {
  return `${epochs} epochs of ${stepsPerEpoch} steps of ${batchSize} images; learning rate ${rate.lr}`;
}

/** Metrics for people, without counters that are 0 unless something is wrong. */
function metricsText({ default: accuracy, ...others }: Metrics): string {
  const quiet = ['skippedSteps', 'skippedImages'];
  const shown = Object.entries(others).filter(
    ([key, value]) => value !== 0 || !quiet.includes(key),
  );
  return [['accuracy', accuracy] as const, ...shown]
    .map(([key, value]) => `${key} ${shortNumber(value)}`)
    .join(', ');
}

/** Four significant digits; integers in full. */
function shortNumber(value: number): string {
  if (Number.isInteger(value)) return String(value);
  return Math.abs(value) >= 100 ? value.toFixed(0) : String(Number(value.toPrecision(4)));
}

const FORMAT =
  'epoch {epoch} [{bar}] {percentage}% | {speed} images/s | loss {loss} | best {best} | {left} left';

function withBar(lines: Emit, stream: NodeJS.WriteStream): Emit {
  const bar = new SingleBar({ format: FORMAT, stream, hideCursor: true, clearOnComplete: true });
  let plan: TrainingPlan | null = null;
  let best = '-';
  return async (event) => {
    await lines(event);
    switch (event.kind) {
      case 'started': {
        ({ plan } = event);
        const fields = { epoch: `1/${plan.epochs}`, speed: '-', loss: '-', best, left: '-' };
        bar.start(plan.totalSteps, event.step, fields);
        break;
      }
      case 'step':
        if (plan !== null) bar.update(event.state.step, { ...barFields(event.state, plan), best });
        break;
      case 'epoch':
        best = event.metrics.default.toFixed(4);
        break;
      case 'stopped':
        bar.stop();
        break;
      case 'answer':
        break;
    }
  };
}

function barFields({ step, tally, time }: SearchState, plan: TrainingPlan): Record<string, string> {
  const epoch = Math.min(plan.epochs, Math.floor(step / plan.stepsPerEpoch) + 1);
  const leftSeconds = ((time.trainingMs / step) * (plan.totalSteps - step)) / 1000;
  return {
    epoch: `${epoch}/${plan.epochs}`,
    speed: ((1000 * step * plan.batchSize) / time.trainingMs).toFixed(0),
    loss: (tally.loss / Math.max(1, tally.steps)).toFixed(3),
    left: `${Math.floor(leftSeconds / 60)}m ${Math.round(leftSeconds % 60)}s`,
  };
}

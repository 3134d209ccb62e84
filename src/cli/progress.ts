import { SingleBar } from 'cli-progress';
import type { Logger } from '../foundation/logger.ts';
import type { SearchPlan } from '../training/plan.ts';
import type { SearchMetrics } from '../training/ports.ts';
import type { SearchState } from '../training/state.ts';
import type { ProgressView } from '../tasks/train.ts';

/** A bar on a terminal, or plain lines in a log. */
export interface ProgressOptions {
  readonly logger: Logger;
  /** Terminal that the bar is drawn on; null for lines only. */
  readonly terminal: NodeJS.WriteStream | null;
}

/** Shows epoch, throughput, loss, best accuracy and the time left. */
export function createProgress({ logger, terminal }: ProgressOptions): ProgressView {
  const lines = epochLines(logger);
  return terminal === null ? lines : withBar(lines, terminal);
}

function epochLines(logger: Logger): ProgressView {
  let epochs = 0;
  return {
    start: (plan) => {
      ({ epochs } = plan);
      logger.log('info', planLine(plan));
    },
    step: () => undefined,
    epoch: (epoch, metrics) => {
      logger.log('info', epochLine(epoch + 1, epochs, metrics));
    },
    stop: () => undefined,
  };
}

function planLine({ epochs, stepsPerEpoch, batchSize, ...plan }: SearchPlan): string {
  return (
    `${epochs} epochs of ${stepsPerEpoch} steps of ${batchSize} images; learning rate ${plan.lr}; ` +
    `board of ${plan.boardSize} from epoch ${plan.warmupEpochs + 1} on; ` +
    `a meta step every ${plan.metaInterval} steps`
  );
}

function epochLine(epoch: number, epochs: number, metrics: SearchMetrics): string {
  const { default: best, boardMean, loss, kdLoss, rho, imagesPerSecond } = metrics;
  return (
    `epoch ${epoch}/${epochs}: best ${best.toFixed(4)}, board ${boardMean.toFixed(4)}, ` +
    `loss ${loss.toFixed(3)}, kd ${kdLoss.toFixed(3)}, rho ${rho.toFixed(3)}, ` +
    `${imagesPerSecond.toFixed(0)} images/s`
  );
}

const FORMAT =
  'epoch {epoch} [{bar}] {percentage}% | {speed} images/s | loss {loss} | best {best} | {left} left';

function withBar(lines: ProgressView, stream: NodeJS.WriteStream): ProgressView {
  const bar = new SingleBar({ format: FORMAT, stream, hideCursor: true, clearOnComplete: true });
  let plan: SearchPlan | null = null;
  let best = '-';
  return {
    start: (started, step) => {
      plan = started;
      lines.start(started, step);
      const { epochs, totalSteps } = started;
      bar.start(totalSteps, step, { epoch: `1/${epochs}`, speed: '-', loss: '-', best, left: '-' });
    },
    step: (state) => {
      if (plan !== null) bar.update(state.step, { ...barFields(state, plan), best });
    },
    epoch: (epoch, metrics) => {
      best = metrics.default.toFixed(4);
      lines.epoch(epoch, metrics);
    },
    stop: () => {
      bar.stop();
    },
  };
}

function barFields({ step, tally, time }: SearchState, plan: SearchPlan): Record<string, string> {
  const epoch = Math.min(plan.epochs, Math.floor(step / plan.stepsPerEpoch) + 1);
  const leftSeconds = ((time.trainingMs / step) * (plan.totalSteps - step)) / 1000;
  return {
    epoch: `${epoch}/${plan.epochs}`,
    speed: ((1000 * step * plan.batchSize) / time.trainingMs).toFixed(0),
    loss: (tally.loss / Math.max(1, tally.steps)).toFixed(3),
    left: `${Math.floor(leftSeconds / 60)}m ${Math.round(leftSeconds % 60)}s`,
  };
}

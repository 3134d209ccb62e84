import type { Logger } from '../../foundation/logger.ts';
import type { Metric } from '../../generated/nni-message.ts';
import type { ParameterRecord, TrialChannel } from './channel.ts';

/** Replaces NNI when there is none: no parameters, and metrics go to the log. */
export class StandaloneChannel implements TrialChannel {
  readonly #logger: Logger;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  receiveParameters(): Promise<ParameterRecord> {
    return Promise.resolve({ parameterId: null, parameters: {} });
  }

  sendMetric({ type, sequence, value }: Metric): Promise<void> {
    const line =
      type === 'FINAL'
        ? `Final result: ${value}`
        : `Intermediate result: ${value}  (Index ${sequence})`;
    this.#logger.log('info', line);
    return Promise.resolve();
  }

  /** The log has all metrics. */
  receivedMetrics(asked: readonly string[]): Promise<ReadonlySet<string>> {
    return Promise.resolve(new Set(asked));
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

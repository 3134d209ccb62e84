import type { Metric } from '../../generated/nni-message.ts';
import type { ParameterRecord, TrialChannel } from './channel.ts';
import { channelFailed, networkMessage } from './channel.ts';
import { encodeJson } from './encoding.ts';
import type { ParameterFile } from './parameter-file.ts';
import { readParameterFile } from './parameter-file.ts';

/** Where lines go: `process.stdout`, or a recorder in a test. */
export interface LineWriter {
  write(text: string, done: (error?: Error | null) => void): unknown;
}

/**
 * Channel of the other platforms: NNI's runner picks marked lines out of the trial's output. Each is
 * one write and starts with a newline, since two on one line would be read as one.
 */
export class StdoutChannel implements TrialChannel {
  readonly #files: ParameterFile;
  readonly #output: LineWriter;
  #record: Promise<ParameterRecord> | undefined;

  constructor(files: ParameterFile, output: LineWriter) {
    this.#files = files;
    this.#output = output;
  }

  receiveParameters(): Promise<ParameterRecord> {
    this.#record ??= readParameterFile(this.#files);
    return this.#record;
  }

  sendMetric(metric: Metric): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#output.write(`\nNNISDK_MEb'${encodeJson(metric)}'\n`, (error) => {
        if (error) reject(channelFailed('stdout', 'to write', networkMessage(error), error));
        else resolve();
      });
    });
  }

  receivedMetrics(): Promise<null> {
    return Promise.resolve(null);
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

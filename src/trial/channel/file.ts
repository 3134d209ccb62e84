import { appendFile, readFile, stat, truncate, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { TrialError } from '../../foundation/errors.ts';
import type { Metric } from '../../generated/nni-message.ts';
import type { ParameterRecord, TrialChannel } from './channel.ts';
import { channelFailed, metricKey, networkMessage } from './channel.ts';
import { encodeJson } from './encoding.ts';
import type { ParameterFile } from './parameter-file.ts';
import { readParameterFile } from './parameter-file.ts';

const LIMIT_BYTES = 999_999;
const LENGTH_DIGITS = 6;

/**
 * One frame of `.nni/metrics`: `ME`, six digits with the byte length of the rest, JSON, newline.
 *
 * @throws TrialError METRIC_INVALID when the length does not fit into six digits.
 */
export function metricFrame(metric: Metric): Buffer {
  const payload = Buffer.from(`${encodeJson(metric)}\n`);
  if (payload.length > LIMIT_BYTES) {
    throw new TrialError('METRIC_INVALID', {
      where: `${metric.type} metric`,
      wanted: `at most ${LIMIT_BYTES} bytes`,
      found: `${payload.length}`,
      next: 'Report fewer values.',
    });
  }
  const length = String(payload.length).padStart(LENGTH_DIGITS, '0');
  return Buffer.concat([Buffer.from(`ME${length}`), payload]);
}

function metricsPath({ systemDirectory }: ParameterFile): string {
  return join(systemDirectory, '.nni', 'metrics');
}

/** The metrics of whole frames, and the size of these frames in bytes. */
function framesIn(bytes: Buffer): { metrics: Metric[]; length: number } {
  const metrics: Metric[] = [];
  for (let at = 0; ;) {
    const start = at + 2 + LENGTH_DIGITS;
    const header = /^ME(\d{6})$/.exec(bytes.toString('latin1', at, start));
    const end = start + Number(header?.[1]);
    if (header === null || end > bytes.length) return { metrics, length: at };
    metrics.push(JSON.parse(bytes.toString('utf8', start, end)) as Metric);
    at = end;
  }
}

/** Channel of local trials of NNI 2.x: frames appended to a file that the manager watches. */
export class FileChannel implements TrialChannel {
  readonly #files: ParameterFile;
  #record: Promise<ParameterRecord> | undefined;

  constructor(files: ParameterFile) {
    this.#files = files;
  }

  receiveParameters(): Promise<ParameterRecord> {
    this.#record ??= readParameterFile(this.#files);
    return this.#record;
  }

  async sendMetric(metric: Metric): Promise<void> {
    const frame = metricFrame(metric);
    const path = metricsPath(this.#files);
    try {
      // After a torn frame (full disk, power cut) the manager misreads all later ones.
      const bytes = await readFile(path);
      const { length } = framesIn(bytes);
      if (length < bytes.length) await truncate(path, length);
      await appendFile(path, frame);
      // The manager's watcher misses some appends, but no change of the attributes.
      const { atime, mtime } = await stat(path);
      await utimes(path, atime, mtime);
    } catch (error) {
      throw channelFailed(path, 'a file to append to', networkMessage(error), error);
    }
  }

  async receivedMetrics(): Promise<ReadonlySet<string>> {
    const path = metricsPath(this.#files);
    try {
      return new Set(framesIn(await readFile(path)).metrics.map(metricKey));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return new Set();
      throw channelFailed(path, 'a readable file', networkMessage(error), error);
    }
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Timers } from '../../foundation/timers.ts';
import type { ParameterRecord } from './channel.ts';
import { channelFailed, networkMessage, parseParameterRecord } from './channel.ts';

/** Where NNI leaves the parameters on every platform but 3.0's `local` and `remote`, and how to wait. */
export interface ParameterFile {
  /** NNI_SYS_DIR. */
  readonly systemDirectory: string;
  readonly timers: Timers;
  /** Milliseconds between two looks; 500 where nothing is said. */
  readonly intervalMs?: number;
  /** Milliseconds until the file must be there; 60,000 where nothing is said. */
  readonly limitMs?: number;
}

/**
 * Waits until `parameter.cfg` is there and not empty. No REQUEST_PARAMETER metric is sent while it
 * is missing: without multi-phase, which NNI has dropped, NNI's tuner process dies of one.
 *
 * @throws TrialError CHANNEL_FAILED after the limit, or when the file is no parameter record.
 */
export async function readParameterFile(options: ParameterFile): Promise<ParameterRecord> {
  const { systemDirectory, timers, intervalMs = 500, limitMs = 60_000 } = options;
  const path = join(systemDirectory, 'parameter.cfg');
  for (let waitedMs = 0; waitedMs <= limitMs; waitedMs += intervalMs) {
    const text = await readIfPresent(path);
    if (text !== '') return parseParameterRecord(text, path);
    await timers.sleep(intervalMs);
  }
  throw channelFailed(path, 'the parameters', `none in ${limitMs} ms`);
}

async function readIfPresent(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return '';
    throw channelFailed(path, 'a readable file', networkMessage(error), error);
  }
}

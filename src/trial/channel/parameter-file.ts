import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Timers } from '../../foundation/timers.ts';
import type { ParameterRecord } from './channel.ts';
import { channelFailed, networkMessage, parseParameterRecord } from './channel.ts';

/** The parameter file of all platforms but 3.0's `local` and `remote`, and how to wait for it. */
export interface ParameterFile {
  /** NNI_SYS_DIR. */
  readonly systemDirectory: string;
  readonly timers: Timers;
  /** Milliseconds between two checks; default 500. */
  readonly intervalMs?: number;
  /** Time limit, milliseconds; default 60,000. */
  readonly limitMs?: number;
}

/**
 * Waits until `parameter.cfg` exists and is not empty. Sends no REQUEST_PARAMETER metric meanwhile:
 * without multi-phase, which NNI has dropped, one kills NNI's tuner process.
 *
 * @throws TrialError CHANNEL_FAILED after the limit, or when the file holds no parameter record.
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

/** Caches scores in an output folder, so that a resumed run does not repeat them. */

import { appendFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { messageOf } from '../foundation/errors.ts';
import type { Logger } from '../foundation/logger.ts';
import type { ScoreCache } from '../selection/scorer.ts';

/** One JSON score per line; within the output folder. */
export const SCORES_FILE = 'scores.jsonl';

type CachedScore = NonNullable<ReturnType<ScoreCache['get']>>;

/**
 * Opens the scores of a folder, which are read when the first one is asked for: a search that begins
 * anew has thrown those of an older one away by then. A line that cannot be read is a score that is
 * taken again; where none can be written, they are kept in memory only, with one warning.
 */
export function openScores(folder: string, logger: Logger): ScoreCache {
  const file = join(folder, SCORES_FILE);
  let scores: Map<string, CachedScore> | undefined;
  // A line that a kill has torn takes none of the next ones with it.
  let separator = '';
  const opened = (): Map<string, CachedScore> => {
    if (scores !== undefined) return scores;
    const text = readIfThere(file);
    if (text !== '' && !text.endsWith('\n')) separator = '\n';
    return (scores = new Map(scoresIn(text)));
  };
  let isWritable = true;
  return {
    get: (key) => opened().get(key),
    set: (key, score) => {
      opened().set(key, score);
      if (!isWritable) return;
      try {
        appendFileSync(file, `${separator}${JSON.stringify({ key, ...score })}\n`);
        separator = '';
      } catch (error) {
        isWritable = false;
        logger.log('warning', `scores are kept in memory only: ${messageOf(error)}`);
      }
    },
  };
}

function readIfThere(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

function scoresIn(text: string): [string, CachedScore][] {
  return text.split('\n').flatMap((line) => {
    const score = parseScore(line);
    return score === null ? [] : [score];
  });
}

function parseScore(line: string): [string, CachedScore] | null {
  try {
    const { key, accuracy, crossEntropy } = JSON.parse(line) as Record<string, unknown>;
    const isWhole = typeof accuracy === 'number' && typeof crossEntropy === 'number';
    return typeof key === 'string' && isWhole ? [key, { accuracy, crossEntropy }] : null;
  } catch {
    return null;
  }
}

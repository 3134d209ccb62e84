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
 * Opens the scores of a folder. Ignores unreadable lines. If the file cannot be written, warns once and
 * keeps scores in memory only.
 */
export function openScores(folder: string, logger: Logger): ScoreCache {
  const file = join(folder, SCORES_FILE);
  const scores = new Map(readScores(file));
  let isWritable = true;
  return {
    get: (key) => scores.get(key),
    set: (key, score) => {
      scores.set(key, score);
      if (!isWritable) return;
      try {
        appendFileSync(file, `${JSON.stringify({ key, ...score })}\n`);
      } catch (error) {
        isWritable = false;
        logger.log('warning', `scores are kept in memory only: ${messageOf(error)}`);
      }
    },
  };
}

function readScores(file: string): [string, CachedScore][] {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    return [];
  }
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

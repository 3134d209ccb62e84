import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { SearchResult } from '../generated/result.ts';
import type { Outcome } from '../nni/follow.ts';
import type { TrialJob } from '../nni/manager.ts';
import { closeCallLines, verdictLine } from '../tasks/verdict-line.ts';

/** Number of log lines shown for a failed trial. */
const TAIL = 15;

/** Describes how the experiment ended; the last line is the verdict on the answer. */
export function describeOutcome(outcome: Outcome): string[] {
  const { status, errors, trials } = outcome;
  const [trial] = trials;
  if (status === 'DONE' && trial?.status === 'SUCCEEDED') return describeResult(trial);
  return [
    `The experiment ended with status ${status}, its trial with ${trial?.status ?? 'no start'}.`,
    ...errors,
    ...(trial ? endOfLog(trial) : []),
  ];
}

/** stderr holds the log's lines too, and the message of a crash. */
function endOfLog({ folder }: TrialJob): string[] {
  const tails = ['trial.stderr', 'trial.log'].map((name) => tail(join(folder, name)));
  return tails.find((lines) => lines.length > 0) ?? [];
}

function describeResult({ folder }: TrialJob): string[] {
  const result = JSON.parse(readFileSync(join(folder, 'result.json'), 'utf8')) as SearchResult;
  const { best, baselines, confirmation, selection, testAccuracy, data } = result;
  const { randomPaths } = baselines;
  const chosen = `${best.score.toFixed(3)} on ${data.rankingImages} held-out images`;
  const confirmed = `${confirmation.accuracy.toFixed(3)} on ${confirmation.images} held-out images`;
  const fields: readonly (readonly [name: string, value: string | null])[] = [
    ['architecture', best.path],
    ['MACs', best.macs.toLocaleString('en')],
    ['parameters', best.params.toLocaleString('en')],
    ['chosen by', `${chosen}, the best of ${selection.scored} paths`],
    ['accuracy', confirmation.images === 0 ? null : `${confirmed} that chose nothing`],
    ['at random', randomPaths && `${randomPaths.mean.toFixed(3)}, mean of ${randomPaths.n}`],
    [
      'test',
      testAccuracy === null ? null : `${testAccuracy.toFixed(3)} on ${data.testImages} images`,
    ],
    ['result', join(folder, 'result.json')],
    ['files', join(folder, 'nas')],
    ['log', join(folder, 'trial.log')],
    ...closeCallLines(selection).map((line) => ['close call', line] as const),
    ['verdict', verdictLine(result)],
  ];
  return fields.flatMap(([name, value]) => (value === null ? [] : [`${name.padEnd(14)}${value}`]));
}

function tail(file: string): string[] {
  if (!existsSync(file)) return [];
  const text = readFileSync(file, 'utf8').trimEnd();
  if (text === '') return [];
  const lines = text.split('\n').slice(-TAIL);
  return [`--- the end of ${file}`, ...lines];
}

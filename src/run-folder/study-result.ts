/** Results of what uses the weights of searches: `evaluate`, `select`, `rank` and a study. */

import { join } from 'node:path';
import evaluationSchema from '../../schemas/evaluation.schema.json' with { type: 'json' };
import rankSchema from '../../schemas/rank.schema.json' with { type: 'json' };
import studySchema from '../../schemas/study-report.schema.json' with { type: 'json' };
import { parseDocument, readText } from '../foundation/documents.ts';
import { createValidator, type Validator } from '../foundation/schema.ts';
import type { Evaluation } from '../generated/evaluation.ts';
import type { RankReport } from '../generated/rank.ts';
import type { StudyReport } from '../generated/study-report.ts';

/** Name of the result of an evaluation, within the output folder. */
export const EVALUATION_FILE = 'evaluation.json';

/** Names of the files of a rank study, within the output folder; the report is written last. */
export const RANK_FILES = { csv: 'rank.csv', plot: 'rank.svg', report: 'rank.json' } as const;

/** Names of the files of a study, within its folder; the report is written last. */
export const STUDY_FILES = {
  csv: 'study.csv',
  page: 'study.md',
  plot: 'study.svg',
  report: 'study.json',
} as const;

/** Checks an `evaluation.json`. @throws TrialError ARCHITECTURE_INVALID */
export const parseEvaluation: Validator<Evaluation> = createValidator({
  schema: evaluationSchema,
  code: 'ARCHITECTURE_INVALID',
  noun: 'the evaluation of an architecture',
  next: 'Evaluate it again; schemas/evaluation.schema.json describes the file.',
});

/** Checks a `rank.json`. @throws TrialError ARCHITECTURE_INVALID */
export const parseRankReport: Validator<RankReport> = createValidator({
  schema: rankSchema,
  code: 'ARCHITECTURE_INVALID',
  noun: 'the report of a rank study',
  next: 'Rank again; schemas/rank.schema.json describes the file.',
});

/** Checks a `study.json`. @throws TrialError ARCHITECTURE_INVALID */
export const parseStudyReport: Validator<StudyReport> = createValidator({
  schema: studySchema,
  code: 'ARCHITECTURE_INVALID',
  noun: 'the report of a study',
  next: 'Run the study again; schemas/study-report.schema.json describes the file.',
});

/**
 * One line about the evaluation or the rank study of a folder.
 *
 * @param names - Files of the folder.
 * @returns Null when the folder holds neither.
 * @throws TrialError FILE_UNREADABLE, ARCHITECTURE_INVALID
 */
export async function studyLine(folder: string, names: readonly string[]): Promise<string | null> {
  const read = async (name: string): Promise<[unknown, string]> => {
    const file = join(folder, name);
    return [parseDocument(await readText(file), file, 'ARCHITECTURE_INVALID'), file];
  };
  if (names.includes(EVALUATION_FILE)) {
    const { accuracy, crossEntropy, arch } = parseEvaluation(...(await read(EVALUATION_FILE)));
    return `accuracy ${accuracy.toFixed(4)}, cross-entropy ${crossEntropy.toFixed(4)} of ${arch.path}`;
  }
  if (names.includes(RANK_FILES.report)) {
    const { nets, scores } = parseRankReport(...(await read(RANK_FILES.report)));
    const tau = scores.find(({ name }) => name === 'crossEntropy')?.kendallTau.value;
    return `Kendall tau ${tau?.toFixed(3) ?? '–'} by cross-entropy over ${nets.length} networks`;
  }
  return null;
}

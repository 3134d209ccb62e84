/** A study: runs by several settings and seeds, each with what its rank study found. */
import { mean, standardDeviation } from '../foundation/statistics.ts';
import type { RankReport } from '../generated/rank.ts';
import type {
  Spread,
  StudyAnswer,
  StudyEstimate,
  StudyFloor,
  StudyPick,
  StudyReport,
  StudyRun,
  StudyTableBest,
  StudyTrial,
} from '../generated/study-report.ts';
import { isInRange } from '../searchspace/budget.ts';
import { networkKey } from '../searchspace/canonical.ts';
import { macsModel } from '../searchspace/cost-model.ts';
import { pathOfNames } from '../searchspace/path.ts';
import type { SearchSpace } from '../searchspace/space.ts';
import type { TableRow } from './table.ts';

/** Allowed multiply-accumulates, both ends included. */
export interface MacsRange {
  readonly min: number;
  /** `Infinity` for no upper end. */
  readonly max: number;
}

/** An architecture that was picked within a budget. */
export interface PickedNet {
  readonly budget: MacsRange;
  /** Names of the operations, with spaces between. */
  readonly arch: string;
  readonly macs: number;
  /** On the validation split, fraction. */
  readonly accuracy: number;
}

/** What is known of one finished trial. */
export interface TrialRecord {
  /** Name of its run. */
  readonly name: string;
  readonly seed: number;
  /** Image passes of the training. */
  readonly images: number;
  /** Time of the training steps. */
  readonly seconds: number;
  /** Of random paths, fraction; null where none was measured. */
  readonly randomAccuracy: number | null;
  readonly rank: RankReport;
  /** The search's own answer, then one for each budget of the study. */
  readonly picked: readonly PickedNet[];
}

/** What a study is about. */
export interface StudySubject {
  readonly space: SearchSpace;
  readonly table: { readonly file: string; readonly rows: readonly TableRow[] };
  readonly rankSeed: number;
  /** Number of networks that are ranked. */
  readonly nets: number;
  /** Number of trials that the study is to have. */
  readonly planned: number;
  /** In order. */
  readonly runs: readonly Pick<StudyRun, 'name' | 'settings'>[];
}

/** Aggregates the finished trials of a study. */
export function studyReport(subject: StudySubject, records: readonly TrialRecord[]): StudyReport {
  const { space, table, rankSeed, nets, planned } = subject;
  const judge = new Judge(space, table.rows);
  const runs = subject.runs.flatMap(({ name, settings }) => {
    const trials = records
      .filter((record) => record.name === name)
      .map((record) => describeTrial(record, judge));
    const [first, ...others] = trials;
    if (first === undefined) return [];
    const run: StudyRun = {
      name,
      settings,
      trials: [first, ...others],
      summary: summarise(trials),
    };
    return [run];
  });
  return {
    format: 'nni-cream-study/1',
    space: space.name,
    table: { file: table.file, nets: table.rows.length, ranked: nets },
    rankSeed,
    trials: { finished: records.length, planned },
    floors: records[0] === undefined ? [] : floorsIn(records[0].rank),
    runs,
  };
}

const FLOORS: readonly StudyFloor['name'][] = ['macs', 'params', 'depth', 'logDepth'];

/** The same for every trial: they all rank the same networks. */
function floorsIn(rank: RankReport): StudyFloor[] {
  return FLOORS.map((name) => ({ name, kendallTau: tauOf(rank, name).value }));
}

function tauOf({ scores }: RankReport, wanted: string): StudyEstimate {
  const score = scores.find(({ name }) => name === wanted);
  return { ...(score?.kendallTau ?? { value: null, low: null, high: null }) };
}

function describeTrial(
  { seed, images, seconds, randomAccuracy, rank, picked }: TrialRecord,
  judge: Judge,
): StudyTrial {
  const picks = picked.map((each) => describePick(each, rank, judge));
  return {
    seed,
    images,
    seconds,
    crossEntropyTau: tauOf(rank, 'crossEntropy'),
    accuracyTau: tauOf(rank, 'accuracy'),
    randomAccuracy,
    picks: picks as StudyTrial['picks'],
  };
}

function describePick(picked: PickedNet, rank: RankReport, judge: Judge): StudyPick {
  const { budget } = picked;
  return {
    minMacs: budget.min,
    maxMacs: Number.isFinite(budget.max) ? budget.max : null,
    nets: judge.within(budget).length,
    answer: judge.answer(picked),
    tableBest: bestScored(rank, budget, judge),
  };
}

/** Of equal scores the cheaper network is taken. */
function bestScored({ nets }: RankReport, budget: MacsRange, judge: Judge): StudyTableBest {
  const [best] = nets
    .filter(({ macs }) => isInRange(budget, macs))
    .sort((a, b) => a.crossEntropy - b.crossEntropy || a.macs - b.macs);
  if (best === undefined) return null;
  const { arch, macs, trueAccuracy } = best;
  return { arch, macs, trueAccuracy, place: judge.place(trueAccuracy, budget) };
}

/** Knows the true accuracies of a table's networks. */
class Judge {
  readonly #space: SearchSpace;
  readonly #accuracies: ReadonlyMap<string, number>;
  readonly #nets: readonly { readonly macs: number; readonly accuracy: number }[];

  constructor(space: SearchSpace, rows: readonly TableRow[]) {
    const model = macsModel(space);
    this.#space = space;
    this.#accuracies = new Map(
      rows.map(({ path, accuracy }) => [networkKey(space, path), accuracy]),
    );
    this.#nets = rows.map(({ path, accuracy }) => ({ macs: model.cost(path), accuracy }));
  }

  /** True accuracies of the networks within a budget. */
  within(budget: MacsRange): readonly number[] {
    return this.#nets.filter(({ macs }) => isInRange(budget, macs)).map(({ accuracy }) => accuracy);
  }

  /** Place of a true accuracy within a budget: 1 where nothing is better. */
  place(trueAccuracy: number, budget: MacsRange): number {
    return 1 + this.within(budget).filter((accuracy) => accuracy > trueAccuracy).length;
  }

  answer({ arch, macs, accuracy, budget }: PickedNet): StudyAnswer {
    const path = pathOfNames(this.#space, arch.split(' '), 'the answer');
    const trueAccuracy = this.#accuracies.get(networkKey(this.#space, path)) ?? null;
    const place = trueAccuracy === null ? null : this.place(trueAccuracy, budget);
    return { arch, macs, accuracy, trueAccuracy, place };
  }
}

function summarise(trials: readonly StudyTrial[]): StudyRun['summary'] {
  const spread = (valueOf: (trial: StudyTrial) => number | null | undefined): Spread =>
    spreadOf(trials.flatMap((trial) => valueOf(trial) ?? []));
  return {
    crossEntropyTau: spread(({ crossEntropyTau }) => crossEntropyTau.value),
    accuracyTau: spread(({ accuracyTau }) => accuracyTau.value),
    randomAccuracy: spread(({ randomAccuracy }) => randomAccuracy),
    answerAccuracy: spread(({ picks: [own] }) => own.answer.accuracy),
    tableBestTrueAccuracy: spread(({ picks: [own] }) => own.tableBest?.trueAccuracy),
    images: spread(({ images }) => images),
    seconds: spread(({ seconds }) => seconds),
  };
}

function spreadOf(values: readonly number[]): Spread {
  return {
    mean: values.length === 0 ? null : mean(values),
    deviation: values.length < 2 ? null : standardDeviation(values),
  };
}

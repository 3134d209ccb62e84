import { readdir } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { dirname, join, relative, resolve } from 'node:path';
import { surveyImages, type Survey } from '../data/survey.ts';
import { messageOf, TrialError } from '../foundation/errors.ts';
import { shellWord, writeExperiment, type ExperimentFiles } from './experiment-files.ts';
import { checkConfigFile } from './lint.ts';
import { propose, type Proposal, type ProposedMachine } from './proposal.ts';
import { systemMemory } from './system.ts';

/** A survey of the images, and settings that suit them. */
export interface Proposed {
  readonly survey: Survey;
  readonly proposal: Proposal;
}

/**
 * Proposes a search of a data set.
 *
 * @throws TrialError DATA_NOT_FOUND or DATA_INVALID when the images cannot be used.
 */
export async function proposeFor(path: string, machine: ProposedMachine): Promise<Proposed> {
  const survey = await surveyImages(path, 'auto');
  return { survey, proposal: propose(survey, machine) };
}

/** The resources of this process. */
export function ownMachine(): ProposedMachine {
  return { cores: availableParallelism(), memoryBytes: systemMemory.allowed() };
}

/** Target folder, images, and resources of an experiment. */
export interface InitOptions {
  /** Absolute, or relative to the working directory; created if missing. */
  readonly folder: string;
  /** Data set, absolute or relative to the working directory. */
  readonly data: string;
  readonly machine: ProposedMachine;
}

/** The written files, and the reasons for their settings. */
export interface Initialised extends Proposed {
  readonly files: ExperimentFiles;
}

/**
 * Writes a folder that `nnictl create` and `nni-cream search` can use as it is, with settings that
 * suit the images and the machine.
 *
 * @throws TrialError FILE_UNWRITABLE when the folder holds something already, or cannot be made.
 * @throws TrialError DATA_NOT_FOUND or DATA_INVALID when the images cannot be used: then nothing is
 *   written.
 */
export async function initExperiment({ folder, data, machine }: InitOptions): Promise<Initialised> {
  const target = resolve(folder);
  await refuseFull(target);
  const path = resolve(data);
  const { survey, proposal } = await proposeFor(path, machine);
  const spec = { data: path, classes: survey.classes.length, proposal };
  const files = await writeExperiment(target, spec);
  await checkConfigFile(files.config);
  return { files, survey, proposal };
}

async function refuseFull(target: string): Promise<void> {
  const refuse = (found: string, next: string, cause?: unknown): never => {
    const complaint = { where: target, wanted: 'an empty folder for the experiment', found, next };
    throw new TrialError('FILE_UNWRITABLE', complaint, cause);
  };
  try {
    const held = await readdir(target);
    if (held.length > 0) refuse(`${held.length} files in it`, 'Name a new or empty folder.');
  } catch (cause) {
    if (cause instanceof TrialError) throw cause;
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return;
    refuse(messageOf(cause), 'Name a folder that you may write to.', cause);
  }
}

/** Choices with reasons, warnings, and the next commands; one line each. */
export function renderInit({ files, survey, proposal }: Initialised): string {
  const here = (file: string): string => shellWord(relative('', file));
  const result = join(dirname(files.config), 'result');
  return [
    ...proposalLines(proposal),
    ...survey.warnings.map((warning) => `warning: ${warning}`),
    ...files.all.map((file) => `wrote ${here(file)}`),
    `search:      npx nni-cream search --config ${here(files.config)} --output ${here(result)}`,
    `or with NNI: .python/bin/nnictl create --config ${here(files.experiment)}`,
  ].join('\n');
}

/** Shown for a setting without a limit. */
const UNLIMITED = 'all';

/** One line per choice, then the expected time. */
export function proposalLines({ classes, imageSize, settings, ...rest }: Proposal): string[] {
  const values = { classes, imageSize, ...settings };
  const rows = Object.entries(rest.reasons).map(([key, reason]) => {
    return [key, String(values[key as keyof typeof values] ?? UNLIMITED), reason] as const;
  });
  const time = [
    'time',
    `${Math.ceil(rest.minutes)} min`,
    'about, once the images are decoded',
  ] as const;
  return [...rows, time].map(([key, value, reason]) => {
    return `${key.padEnd(19)}${value.padEnd(8)}${reason}`;
  });
}

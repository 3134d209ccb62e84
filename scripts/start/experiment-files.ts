import { readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { type Document, parseDocument } from 'yaml';

const TRIAL = 'nni-config/trial.yml';
const EXPERIMENT = 'nni-config/experiment.local.yml';
const SKELETON = 'nni-config/skeletons/nas-bench-macro.json';
const STARTED_TRIAL = 'nni-config/npm-start.trial.yml';
const STARTED_EXPERIMENT = 'nni-config/npm-start.experiment.yml';
const STARTED_SKELETON = 'nni-config/npm-start.skeleton.json';

/** The images of the experiment. */
export interface ExperimentData {
  readonly path: string;
  /** Number of their classes. */
  readonly classes: number;
}

/**
 * Writes the shipped experiment with the chosen data, and its skeleton with their number of
 * classes, beside the shipped one, so that all other relative paths in it stay valid.
 *
 * @returns the experiment's file.
 */
export function writeExperiment(root: string, data: ExperimentData): string {
  const skeleton = readDocument(join(root, SKELETON));
  skeleton.set('classes', data.classes);
  writeFileSync(join(root, STARTED_SKELETON), JSON.stringify(skeleton));
  const trial = readDocument(join(root, TRIAL));
  trial.setIn(['data', 'path'], data.path);
  trial.set('skeleton', basename(STARTED_SKELETON));
  writeFileSync(join(root, STARTED_TRIAL), trial.toString());
  const experiment = readDocument(join(root, EXPERIMENT));
  const command = String(experiment.get('trialCommand'));
  experiment.set('trialCommand', command.replace(TRIAL, STARTED_TRIAL));
  writeFileSync(join(root, STARTED_EXPERIMENT), experiment.toString());
  return join(root, STARTED_EXPERIMENT);
}

function readDocument(file: string): Document {
  return parseDocument(readFileSync(file, 'utf8'));
}

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Document, parseDocument } from 'yaml';

const TRIAL = 'nni-config/trial.yml';
const EXPERIMENT = 'nni-config/experiment.local.yml';
const STARTED_TRIAL = 'nni-config/npm-start.trial.yml';
const STARTED_EXPERIMENT = 'nni-config/npm-start.experiment.yml';

/**
 * Writes the shipped experiment with the chosen data beside the shipped one, so that all other
 * relative paths in it stay valid.
 *
 * @returns the experiment's file.
 */
export function writeExperiment(root: string, data: string): string {
  rewrite(join(root, TRIAL), join(root, STARTED_TRIAL), (trial) => {
    trial.setIn(['data', 'path'], data);
  });
  rewrite(join(root, EXPERIMENT), join(root, STARTED_EXPERIMENT), (experiment) => {
    const command = String(experiment.get('trialCommand'));
    experiment.set('trialCommand', command.replace(TRIAL, STARTED_TRIAL));
  });
  return join(root, STARTED_EXPERIMENT);
}

function rewrite(from: string, to: string, change: (document: Document) => void): void {
  const document = parseDocument(readFileSync(from, 'utf8'));
  change(document);
  writeFileSync(to, document.toString());
}

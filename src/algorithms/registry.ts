import type { TrialConfigFile } from '../generated/trial-config.ts';
import type { AlgorithmDefinition } from './algorithm.ts';
import { cream } from './cream/cream.ts';
import { fairnas } from './fairnas/fairnas.ts';
import { random } from './random/random.ts';
import { sandwich } from './sandwich/sandwich.ts';
import { spos } from './spos/spos.ts';

/** Every algorithm by its name in a trial config; a new one is a folder and a line here. */
export const ALGORITHMS: Readonly<Record<TrialConfigFile['algorithm'], AlgorithmDefinition>> = {
  cream,
  fairnas,
  random,
  sandwich,
  spos,
};

/** Kills a search at random moments and compares its end: `npm run test:kill -- --help`. */

import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { parseTrialConfig } from '../src/tasks/config.ts';
import { runCampaign, type CampaignOutcome } from './kill/campaign.ts';
import { writeShapesSearch } from './shapes/search.ts';

const HELP = `npm run test:kill -- [options]
Runs a search undisturbed, then once more while SIGKILL ends it at random moments and "search" or
"resume" goes on with it. Exit code 1 when the ends differ in one bit.
  --kills N      number of kills (30)
  --seed N       which random moments (1)
  --config FILE  trial config of the search (nas-bench-macro on generated images, about a minute)
  --folder DIR   where the two searches write, kept afterwards (a temporary folder)`;

/** All of Cream at work within a minute: the board opens at once, one of three steps is a meta step. */
const SETTINGS = {
  epochs: 4,
  warmupEpochs: 0,
  metaInterval: 3,
  calibrationImages: 256,
  baselinePaths: 3,
  checkpoint: { steps: 2 },
};

function describe({ phases, differences }: CampaignOutcome, kills: number): string[] {
  const counts = (['save', 'start-up', 'training', 'ranking'] as const).map(
    (phase) => `${phases.filter((other) => other === phase).length} in ${phase}`,
  );
  const missed = kills - phases.length;
  return [
    `${phases.length} kills: ${counts.join(', ')}`,
    ...(missed > 0 ? [`the search was done before the last ${missed}`] : []),
    ...differences.map((name) => `DIFFERENT: ${name}`),
    differences.length === 0 ? 'the same, bit for bit' : 'not the same',
  ];
}

const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '30' },
    seed: { type: 'string', default: '1' },
    config: { type: 'string' },
    folder: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});
if (values.help) console.log(HELP);
else await main();

async function main(): Promise<void> {
  const folder = values.folder ?? mkdtempSync(join(tmpdir(), 'nni-cream-kill-'));
  mkdirSync(folder, { recursive: true });
  const config = values.config ?? (await writeShapesSearch(folder, SETTINGS));
  const { checkpoint } = parseTrialConfig(readFileSync(config, 'utf8'), config);
  if (checkpoint.steps === undefined) {
    console.log(
      'note: the config has no checkpoint.steps, so few moments differ: an epoch is repeated',
    );
  }
  const [kills, seed] = [countOf('--kills', values.kills), countOf('--seed', values.seed)];
  console.log(`seed ${seed}, ${kills} kills, folder ${folder}`);
  const outcome = await runCampaign({ config, folder, kills, seed, print: console.log });
  console.log(describe(outcome, kills).join('\n'));
  if (outcome.differences.length > 0) process.exitCode = 1;
  else if (values.folder === undefined) rmSync(folder, { recursive: true });
}

function countOf(option: string, text: string): number {
  const count = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(count)) return count;
  throw new Error(`${option} takes a number, not "${text}"`);
}

/** Kills one search again and again, and holds its end against one that was never killed. */

import { mkdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { CheckpointManifest } from '../../src/generated/checkpoint.ts';
import { manifestFiles } from '../../src/run-folder/checkpoint/store.ts';
import { differences, unfinishedAtMs } from './compare.ts';
import { killAsPlanned, newestManifest, type Pace } from './killer.ts';
import { planKills } from './plan.ts';
import { SearchProcess } from './search-process.ts';

/** What to do, and where. */
export interface CampaignOptions {
  /** The trial config. */
  readonly config: string;
  /** Folder of the two searches, `reference` and `killed`; it holds no such folders yet. */
  readonly folder: string;
  readonly kills: number;
  readonly seed: number;
  readonly print: (line: string) => void;
}

/** What a search was at when it was killed. */
export type Phase = 'save' | 'start-up' | 'training' | 'ranking';

/** How a campaign ended. */
export interface CampaignOutcome {
  /** One for each kill; fewer than planned when the search was done before. */
  readonly phases: readonly Phase[];
  /** Names of what is not the same in both folders. */
  readonly differences: readonly string[];
}

const POLL_MS = 10;

/** Runs a campaign with the program that was built last. */
export async function runCampaign(options: CampaignOptions): Promise<CampaignOutcome> {
  const { config, folder, kills, seed, print } = options;
  const [reference, output] = [join(folder, 'reference'), join(folder, 'killed')];
  // Both refuse a folder that is there: the searches of an earlier campaign must not go on in this one.
  mkdirSync(reference);
  mkdirSync(output);
  const pace = await measurePace(config, reference);
  print(
    `never killed: start-up ${seconds(pace.startUpMs)}, a save every ${seconds(pace.intervalMs)}`,
  );
  const phases: Phase[] = [];
  let search = await begin(config, output, 0);
  for (const [index, planned] of planKills(kills, seed).entries()) {
    const before = await stateOf(output);
    if (!(await killAsPlanned(search, { planned, output, pace }))) break;
    const after = await stateOf(output);
    const phase = phaseOf(before, after, search.ageMs < pace.startUpMs);
    phases.push(phase);
    const { command, ageMs } = search;
    print(`kill ${index + 1}: ${command} after ${seconds(ageMs)}, ${savedIn(after)}, ${phase}`);
    search = await begin(config, output, index + 1);
  }
  await search.finish();
  return { phases, differences: await differences(reference, output) };
}

/** Every second time the other command of the two that go on. */
async function begin(config: string, output: string, index: number): Promise<SearchProcess> {
  const isResumed = index % 2 === 1 && (await newestManifest(output)) !== null;
  const args: [string, ...string[]] = isResumed
    ? ['resume', output]
    : ['search', '-c', config, '-o', output];
  return new SearchProcess(args, `${output}.log`);
}

/** Runs the search that is never killed. */
async function measurePace(config: string, output: string): Promise<Pace> {
  const search = await begin(config, output, 0);
  while ((await newestManifest(output)) === null && !search.hasEnded) await sleep(POLL_MS);
  const startUpMs = search.ageMs;
  await search.finish();
  const [newest = ''] = await manifestFiles(output);
  const saves = Number(basename(newest, '.json'));
  return { startUpMs, intervalMs: (search.ageMs - startUpMs) / saves };
}

/** What a folder tells of the process that wrote there. */
interface FolderState {
  readonly manifest: CheckpointManifest | null;
  readonly unfinishedAtMs: number;
}

async function stateOf(output: string): Promise<FolderState> {
  return { manifest: await newestManifest(output), unfinishedAtMs: unfinishedAtMs(output) };
}

/** @param isYoung - Whether an undisturbed search would not have begun to train by then. */
function phaseOf(before: FolderState, after: FolderState, isYoung: boolean): Phase {
  if (after.unfinishedAtMs > before.unfinishedAtMs) return 'save';
  const { manifest } = after;
  const hasSaved = manifest?.savedAt !== before.manifest?.savedAt;
  if (manifest === null || (isYoung && !hasSaved)) return 'start-up';
  const { run, state } = manifest;
  const epochEnd = Math.min(run.totalSteps, (state.reports.length + 1) * run.stepsPerEpoch);
  return state.step === epochEnd ? 'ranking' : 'training';
}

function savedIn({ manifest }: FolderState): string {
  if (manifest === null) return 'nothing saved';
  return `step ${manifest.state.step} of ${manifest.run.totalSteps} saved`;
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}

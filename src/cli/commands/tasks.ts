/** Commands that run a task. */

import { resolve } from 'node:path';
import { type Command, Option } from 'commander';
import { exists } from '../../foundation/files.ts';
import { renderRankReport } from '../../ranking-study/render.ts';
import type { TaskResult } from '../../tasks/run.ts';
import type { Host, TrialOptions } from '../../trial/entry.ts';
import type { Shell } from '../shell.ts';

/** Time for the reader of a trial's output to take the rest, milliseconds. */
const DRAIN_MS = 5000;

/** Adds `search`, `resume`, `trial`, `evaluate`, `select` and `rank`. */
export function addTaskCommands(program: Command, shell: Shell): void {
  addSearch(program, shell);
  addResume(program, shell);
  addTrial(program, shell);
  addEvaluate(program, shell);
  addSelect(program, shell);
  addRank(program, shell);
}

function addSearch(program: Command, shell: Shell): void {
  program
    .command('search')
    .description('run a search without NNI; resumes an unfinished one in the folder')
    .requiredOption('-c, --config <file>', 'trial config, JSON or YAML')
    .option('-o, --output <folder>', "in place of the config's; else nni-cream-result")
    .option('--overwrite', 'throw away what the folder holds')
    .addOption(engineOption())
    .option('--gpu', 'the same as --engine gpu')
    .option('--json', 'print the result as JSON')
    .action(({ json, overwrite, ...options }: SearchOptions & ShownOptions) => {
      const present = overwrite ? 'throw-away' : 'refuse-result';
      return runHere(shell, { ...trialOptions(options), present }, json);
    });
}

function addResume(program: Command, shell: Shell): void {
  program
    .command('resume')
    .description('resume the unfinished search of a folder, without NNI')
    .argument('<folder>', 'output folder of the search')
    .option('-c, --config <file>', 'in place of the config that the search was started with')
    .addOption(engineOption())
    .option('--gpu', 'the same as --engine gpu')
    .option('--json', 'print the result as JSON')
    .action(async (folder: string, { json, ...options }: ResumeOptions & ShownOptions) => {
      const { resumption } = await import('../resume.ts');
      const { overrides, ...search } = await resumption(folder, options.config);
      const chosen = { ...overrides, ...overridesOf(options) };
      await runHere(shell, { ...search, overrides: chosen }, json);
    });
}

function addTrial(program: Command, shell: Shell): void {
  program
    .command('trial')
    .description('run a task as the trial of an NNI experiment; NNI starts this')
    .requiredOption('-c, --config <file>', 'trial config, JSON or YAML')
    .option('-o, --output <folder>', "where NNI names none, in place of the config's")
    .addOption(engineOption())
    .option('--gpu', 'the same as --engine gpu')
    .action(async (options: SearchOptions) => {
      const { runTrial } = await import('../../trial/entry.ts');
      const { createProgress } = await import('../progress.ts');
      try {
        await runTrial(
          {
            ...trialOptions(options),
            progress: (log) => createProgress({ logger: log, terminal: null }),
          },
          shell.host,
        );
      } finally {
        // Output that nobody reads would keep the process, and NNI's trial, alive for ever.
        shell.exitAfter(DRAIN_MS);
      }
    });
}

function addEvaluate(program: Command, shell: Shell): void {
  program
    .command('evaluate')
    .description('measure one architecture with the weights of a search')
    .argument('<folder>', 'output folder of the search')
    .requiredOption('-a, --arch <network>', 'architecture file, digit code or candidate names')
    .option('-o, --output <folder>', 'in place of FOLDER/evaluate')
    .option('-c, --config <file>', 'in place of the config that the search was started with')
    .option('--json', 'print the result as JSON')
    .action(async (folder: string, { arch, json, ...options }: EvaluateOptions) => {
      const { inheritance } = await import('../resume.ts');
      const task = await inheritance(folder, { task: 'evaluate', ...options });
      // A path that a person types starts from the working directory, one in a config from its folder.
      const chosen = { arch: (await exists(arch)) ? resolve(arch) : arch };
      await runHere(shell, { ...task, overrides: { ...task.overrides, ...chosen } }, json);
    });
}

function addSelect(program: Command, shell: Shell): void {
  program
    .command('select')
    .description('pick an architecture again with the weights of a search, such as within a budget')
    .argument('<folder>', 'output folder of the search')
    .option(
      '--min-macs <count>',
      "fewest multiply-accumulates, in place of the config's",
      anyNumber,
    )
    .option('--max-macs <count>', "most multiply-accumulates, in place of the config's", anyNumber)
    .option('-o, --output <folder>', 'in place of FOLDER/select')
    .option('-c, --config <file>', 'in place of the config that the search was started with')
    .option('--json', 'print the result as JSON')
    .action(async (folder: string, { minMacs, maxMacs, json, ...options }: SelectOptions) => {
      const { inheritance } = await import('../resume.ts');
      const task = await inheritance(folder, { task: 'select', ...options });
      const budget = {
        ...(minMacs === undefined ? {} : { minMacs }),
        ...(maxMacs === undefined ? {} : { maxMacs }),
      };
      await runHere(shell, { ...task, overrides: { ...task.overrides, ...budget } }, json);
    });
}

function addRank(program: Command, shell: Shell): void {
  program
    .command('rank')
    .description('correlate scores with inherited weights and true accuracies')
    .argument('<folder>', 'output folder of the search')
    .requiredOption(
      '-t, --table <file>',
      'true accuracies: NAS-Bench-Macro JSON, or CSV arch,accuracy',
    )
    .option('-n, --nets <count>', 'networks drawn from the table; default all', wholeNumber)
    .option('-s, --seed <seed>', 'seed of their choice and of the bootstrap', wholeNumber)
    .option('-o, --output <folder>', 'in place of FOLDER/rank')
    .option('-c, --config <file>', 'in place of the config that the search was started with')
    .option('--json', 'print the report as JSON')
    .action(async (folder: string, { table, nets, seed, json, ...options }: RankOptions) => {
      const { inheritance } = await import('../resume.ts');
      const task = await inheritance(folder, { task: 'rank', ...options });
      const chosen = {
        'rank.table': resolve(table),
        ...(nets === undefined ? {} : { 'rank.nets': nets }),
        ...(seed === undefined ? {} : { 'rank.seed': seed }),
      };
      await runHere(shell, { ...task, overrides: { ...task.overrides, ...chosen } }, json);
    });
}

interface SearchOptions {
  readonly config: string;
  readonly output?: string;
  readonly engine?: string;
  readonly gpu?: true;
}

interface InheritOptions {
  readonly output?: string;
  readonly config?: string;
  readonly json?: true;
}

type EvaluateOptions = InheritOptions & { readonly arch: string };

type SelectOptions = InheritOptions & {
  readonly minMacs?: number;
  readonly maxMacs?: number;
};

type RankOptions = InheritOptions & {
  readonly table: string;
  readonly nets?: number;
  readonly seed?: number;
};

/** A number such as `60e6`, or the text itself, which the config's schema then refuses. */
function anyNumber(text: string): number | string {
  const value = Number(text);
  return text.trim() === '' || Number.isNaN(value) ? text : value;
}

/** A whole number, or the text itself, which the config's schema then refuses. */
function wholeNumber(text: string): number | string {
  return /^\d+$/.test(text) ? Number(text) : text;
}

type ResumeOptions = Omit<SearchOptions, 'config' | 'output'> & { readonly config?: string };

/** How to treat the folder, and how to print the result. */
interface ShownOptions {
  readonly overwrite?: true;
  readonly json?: true;
}

/** The option that chooses the engine. */
export function engineOption(): Option {
  const engines = ['native', 'gpu', 'js'];
  return new Option('--engine <kind>', "in place of the config's engine").choices(engines);
}

function trialOptions({ config, output, ...engine }: SearchOptions): TrialChoices {
  return { configFile: config, output, overrides: overridesOf(engine) };
}

/** How a command line chooses the engine. */
export type EngineOptions = Pick<SearchOptions, 'engine' | 'gpu'>;

/** The engine of a command line as a config value. */
export function overridesOf({ engine, gpu }: EngineOptions): { engine?: string } {
  const chosen = gpu ? 'gpu' : engine;
  return chosen === undefined ? {} : { engine: chosen };
}

type TrialChoices = Omit<TrialOptions, 'progress'>;

/** Runs a task without NNI. */
export async function runWithoutNni(shell: Shell, choices: TrialChoices): Promise<TaskResult> {
  const { runTrial } = await import('../../trial/entry.ts');
  const { createProgress } = await import('../progress.ts');
  return runTrial(
    { ...choices, progress: (log) => createProgress({ logger: log, terminal: shell.terminal }) },
    { ...shell.host, variables: withoutNni(shell.host.variables) },
  );
}

/** Runs a task without NNI and prints its result. */
async function runHere(shell: Shell, choices: TrialChoices, json: true | undefined): Promise<void> {
  const done = await runWithoutNni(shell, choices);
  if (json) shell.printJson(done.result);
  else shell.print(resultText(done));
}

function resultText(done: TaskResult): string {
  switch (done.task) {
    case 'search': {
      const { path, score, macs } = done.result.best;
      return `${path}  accuracy ${score}  ${macs} MACs`;
    }
    case 'rank':
      return renderRankReport(done.result);
    case 'select':
    case 'evaluate': {
      const { arch, accuracy, crossEntropy, macs } = done.result;
      return `${arch.path}  accuracy ${accuracy}  cross-entropy ${crossEntropy}  ${macs} MACs`;
    }
  }
}

/** Removes NNI's variables: a task without NNI stays one, even inside a trial. */
function withoutNni(variables: Host['variables']): Host['variables'] {
  for (const name of Object.keys(variables)) {
    if (name.startsWith('NNI_')) Reflect.deleteProperty(variables, name);
  }
  return variables;
}

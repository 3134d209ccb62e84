/** Commands on the files of an experiment. */

import { Argument, type Command, Option } from 'commander';
import { DATASET_NAMES, type DatasetName } from '../../data/obtain/names.ts';
import type { Shell } from '../shell.ts';

/** Adds `cost`, `lint`, `init` and `data fetch`. */
export function addFileCommands(program: Command, shell: Shell): void {
  addCost(program, shell);
  addLint(program, shell);
  addInit(program, shell);
  addData(program, shell);
}

function addCost(program: Command, shell: Shell): void {
  program
    .command('cost')
    .description('multiply-accumulates and parameters of a network, exactly')
    .requiredOption('-s, --skeleton <file>', 'network skeleton')
    .requiredOption('-a, --arch <network>', 'architecture file, digit code or published name')
    .addOption(
      new Option('--decoding <how>', 'how a published net is read').choices([
        'published',
        'literal',
      ]),
    )
    .option('--json', 'print JSON')
    .action(async ({ json, ...request }: CostOptions) => {
      const { costReport, renderCost } = await import('../cost.ts');
      const report = await costReport(request);
      if (json) shell.printJson(report);
      else shell.print(renderCost(report));
    });
}

function addLint(program: Command, shell: Shell): void {
  program
    .command('lint')
    .description('check trial configs, skeletons, search spaces, results and studies')
    .argument('<files...>')
    .option('--json', 'print JSON')
    .action(async (files: string[], { json }: { json?: true }) => {
      const { lintFiles, renderLint } = await import('../lint.ts');
      const linted = await lintFiles(files);
      if (json) shell.printJson(linted);
      else shell.print(renderLint(linted));
      if (!linted.every(({ ok }) => ok)) shell.fail();
    });
}

function addInit(program: Command, shell: Shell): void {
  program
    .command('init')
    .description('write an experiment folder that suits the images and this machine')
    .argument('<folder>')
    .option('-d, --data <path>', 'images: a folder or an archive', '.cache/data/fashion-mnist')
    .action(async (folder: string, { data }: { data: string }) => {
      const { initExperiment, ownMachine, renderInit } = await import('../init.ts');
      shell.print(renderInit(await initExperiment({ folder, data, machine: ownMachine() })));
    });
}

interface CostOptions {
  readonly skeleton: string;
  readonly arch: string;
  readonly decoding?: 'published' | 'literal';
  readonly json?: true;
}

function addData(program: Command, shell: Shell): void {
  program
    .command('data')
    .description('data sets that have a name')
    .command('fetch')
    .description('fetch a data set once, or draw one (shapes), and print its path')
    .addArgument(new Argument('<name>').choices(DATASET_NAMES))
    .option('--into <folder>', 'folder of all fetched data', '.cache/data')
    .action(async (name: DatasetName, { into }: { into: string }) => {
      const { fetchData } = await import('../data.ts');
      shell.print(await fetchData({ name, into }, shell.logger));
    });
}

/** The command that runs a study. */

import type { Command } from 'commander';
import type { Shell } from '../shell.ts';
import { engineOption, overridesOf, runWithoutNni, type EngineOptions } from './tasks.ts';

type StudyOptions = EngineOptions & {
  readonly output?: string;
  readonly write?: string;
  readonly json?: true;
};

/** Adds `study`. */
export function addStudyCommand(program: Command, shell: Shell): void {
  program
    .command('study')
    .description('compare algorithms or settings over several seeds; goes on where it was cut off')
    .argument('<file>', 'study file, JSON or YAML')
    .option('-o, --output <folder>', "in place of the file's")
    .option('--write <page>', 'put the tables into a Markdown page, and the plot beside it')
    .addOption(engineOption())
    .option('--gpu', 'the same as --engine gpu')
    .option('--json', 'print the report as JSON')
    .action(async (file: string, { output, write, json, ...engine }: StudyOptions) => {
      const { runStudy } = await import('../study.ts');
      const { studySummary } = await import('../../ranking-study/study-text.ts');
      const report = await runStudy(
        { file, output, write, overrides: overridesOf(engine) },
        { run: (options) => runWithoutNni(shell, options), logger: shell.logger },
      );
      if (json) shell.printJson(report);
      else shell.print(studySummary(report));
    });
}

/** The command that runs a study. */

import type { Command } from 'commander';
import type { TaskOptions } from '../resume.ts';
import type { Shell } from '../shell.ts';
import { engineOption, overridesOf, runWithoutNni, type EngineOptions } from './tasks.ts';

/** Name of the command that a study runs its tasks by; not for people. */
const TASK = 'study-task';

type StudyOptions = EngineOptions & {
  readonly output?: string;
  readonly write?: string;
  readonly json?: true;
};

/** Adds `study`. */
export function addStudyCommands(program: Command, shell: Shell): void {
  addStudy(program, shell);
  addStudyTask(program, shell);
}

function addStudy(program: Command, shell: Shell): void {
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
      const { runChild } = await import('../child.ts');
      const { studySummary } = await import('../../ranking-study/study-text.ts');
      const report = await runStudy(
        { file, output, write, overrides: overridesOf(engine) },
        {
          run: (task) => runChild([TASK, JSON.stringify(task)], task.output ?? file, shell),
          logger: shell.logger,
        },
      );
      if (json) shell.printJson(report);
      else shell.print(studySummary(report));
    });
}

/** Adds the command that a study runs each of its tasks by, in a process of its own. */
function addStudyTask(program: Command, shell: Shell): void {
  program
    .command(TASK, { hidden: true })
    .argument('<task>', 'JSON')
    .action(async (task: string) => {
      shell.endWithParent();
      await runWithoutNni(shell, JSON.parse(task) as TaskOptions);
    });
}

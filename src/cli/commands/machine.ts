/** Commands on what is installed on this machine. */

import type { Command } from 'commander';
import type { Shell } from '../shell.ts';

/** Adds `doctor` and `engine install`. */
export function addMachineCommands(program: Command, shell: Shell): void {
  addDoctor(program, shell);
  addEngine(program, shell);
}

function addDoctor(program: Command, shell: Shell): void {
  program
    .command('doctor')
    .description('what is installed, and what to fix')
    .option('--json', 'print JSON')
    .action(async ({ json }: { json?: true }) => {
      const { diagnose, renderDiagnosis, thisMachine } = await import('../doctor.ts');
      const diagnosis = await diagnose(thisMachine(shell.host.variables));
      if (json) shell.printJson(diagnosis);
      else shell.print(renderDiagnosis(diagnosis));
      if (diagnosis.problems.length > 0) shell.fail();
    });
}

function addEngine(program: Command, shell: Shell): void {
  program
    .command('engine')
    .description("TensorFlow's native library")
    .command('install')
    .description('get the library out of its pip wheel and build the addon; does nothing when done')
    .option('--gpu', 'the build for NVIDIA GPUs, with the CUDA 12 libraries')
    .option('--tensorflow <version>', "TensorFlow's version")
    .option('--sha256 <hash>', 'what the wheel must hash to')
    .option('--from <path>', 'a wheel, or a folder that holds one')
    .action(async (options: EngineOptions) => {
      const { installEngine } = await import('../../engine/install/install.ts');
      const { folder } = await installEngine({
        logger: shell.logger,
        variant: options.gpu ? 'gpu' : 'cpu',
        ...(options.tensorflow === undefined ? {} : { version: options.tensorflow }),
        sha256: options.sha256,
        from: options.from,
      });
      shell.print(folder);
    });
}

interface EngineOptions {
  readonly gpu?: true;
  readonly tensorflow?: string;
  readonly sha256?: string;
  readonly from?: string;
}

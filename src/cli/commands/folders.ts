/** Commands that inspect an output folder, or deliver its metrics. */

import type { Command } from 'commander';
import type { Shell } from '../shell.ts';

/** Default address of NNI's web UI. */
const DEFAULT_NNI = 'http://localhost:8080';

/** Adds `status` and `replay`. */
export function addFolderCommands(program: Command, shell: Shell): void {
  addStatus(program, shell);
  addReplay(program, shell);
}

function addStatus(program: Command, shell: Shell): void {
  program
    .command('status')
    .description('what an output folder holds, and the command to continue')
    .argument('<folder>', 'output folder of a search')
    .option('--json', 'print JSON')
    .action(async (folder: string, { json }: { json?: true }) => {
      const { folderStatus } = await import('../../run-folder/status.ts');
      const { nameByConfig, renderStatus } = await import('../status.ts');
      const status = await folderStatus(folder, nameByConfig);
      if (json) shell.printJson(status);
      else shell.print(renderStatus(status));
      if (status.state === 'broken') shell.fail();
    });
}

function addReplay(program: Command, shell: Shell): void {
  program
    .command('replay')
    .description('send NNI the metrics that it did not take when the search was done')
    .argument('<folder>', 'output folder of the search')
    .option('--url <url>', "address of NNI's web UI, or of the trial's channel", DEFAULT_NNI)
    .action(async (folder: string, { url }: { url: string }) => {
      const { replay } = await import('../../trial/replay.ts');
      const { now, timers } = shell.host;
      const count = await replay({ folder, url, logger: shell.logger, now, timers });
      shell.print(count === 0 ? 'NNI has all metrics' : `NNI has ${count} more metrics`);
    });
}

/** The program whose output nobody reads. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { CHECKPOINT_FOLDER } from '../../../src/run-folder/checkpoint/store.ts';
import { UNDELIVERED_FILE } from '../../../src/run-folder/history.ts';
import { readUndelivered } from '../../../src/trial/outbox.ts';
import { writeTinySearch } from '../../e2e/support.ts';
import { type CliOptions, runCli, startCli, until } from '../../support/command.ts';
import { TRIAL_ID } from '../../support/nni.ts';

const EPOCHS = 3;

interface Search {
  readonly config: string;
  readonly output: string;
  /** Of a trial whose metrics go to its output. */
  readonly trial: Required<Pick<CliOptions, 'env'>>;
}

/** Removed at the end, when no program writes into them any more. */
const folders: string[] = [];

async function writeSearch(epochs = EPOCHS): Promise<Search> {
  const { folder, config } = await writeTinySearch({ epochs });
  folders.push(folder);
  const output = join(folder, 'out');
  await mkdir(output);
  await writeFile(join(output, 'parameter.cfg'), '{"parameter_id": 0, "parameters": {}}');
  const env = {
    NNI_PLATFORM: 'kubeflow',
    NNI_EXP_ID: 'exp',
    NNI_TRIAL_JOB_ID: TRIAL_ID,
    NNI_SYS_DIR: output,
    NNI_OUTPUT_DIR: output,
  };
  return { config, output, trial: { env } };
}

describe('a program whose output nobody reads', { timeout: 300_000 }, () => {
  after(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true }))));

  it('trains on as a trial when it is closed, keeps its metrics and says that NNI lacks them', async () => {
    const { config, output, trial } = await writeSearch();
    const { child, ended } = startCli(['trial', '--config', config], trial);
    child.stdout!.destroy();
    const { code, stderr } = await ended;
    assert.equal(code, 3, stderr);
    assert.match(stderr, /METRICS_UNDELIVERED/);
    assert.equal((await readUndelivered(output)).length, EPOCHS + 1);
    assert.ok(existsSync(join(output, 'result.json')));
  });

  it('says that what it had to print was refused', async () => {
    const wrapper = ['sh', '-c', 'exec "$@" > /dev/full', 'sh'];
    const { code, stderr } = await runCli(['doctor', '--json'], { wrapper });
    assert.equal(code, 1);
    assert.match(stderr, /the output could not be written: ENOSPC/);
  });

  it('ends as a trial that fails when it is open and full', async (t) => {
    const { config, output, trial } = await writeSearch(1000);
    // A pipe takes 64 KiB; a process that also has its reading end finds it open for ever.
    const fill = 'mkfifo "$1"; exec 3<>"$1"; head -c 65536 /dev/zero >&3; shift; exec "$@" >&3';
    const wrapper = ['sh', '-c', fill, 'sh', join(output, 'fifo')];
    const { child, ended } = startCli(['trial', '--config', config], { ...trial, wrapper });
    t.after(async () => {
      child.kill('SIGKILL');
      await ended;
    });
    await until(() => existsSync(join(output, UNDELIVERED_FILE)), { child });
    const checkpoints = join(output, CHECKPOINT_FOLDER);
    // Each save of the search makes the folder again.
    const isBlocked = (): Promise<boolean> =>
      rm(checkpoints, { recursive: true, force: true })
        .then(() => writeFile(checkpoints, ''))
        .then(
          () => true,
          () => false,
        );
    await until(isBlocked, { child });
    const { code, stderr } = await ended;
    assert.equal(code, 1, stderr);
    assert.match(stderr, /FILE_UNWRITABLE/);
    assert.ok((await readUndelivered(output)).length > 0);
  });

  it('ends well as a search when it is closed, its result in its folder', async () => {
    const { config, output } = await writeSearch();
    const { child, ended } = startCli(['search', '--config', config, '--output', output]);
    child.stdout!.destroy();
    const { code, stderr } = await ended;
    assert.equal(code, 0, stderr);
    assert.ok(existsSync(join(output, 'result.json')));
  });
});

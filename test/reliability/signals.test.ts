import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, watch } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { after, afterEach, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { writeShapesSearch } from '../../scripts/shapes/search.ts';
import { folderStatus } from '../../src/run-folder/status.ts';
import { lockHolder } from '../../src/run-folder/lock.ts';
import { findProcess } from '../../src/foundation/processes.ts';
import { startCli, until, untilComputed } from '../support/command.ts';
import { startExperiment, type TinySearch, writeTinySearch } from '../e2e/support.ts';

const CLI = 'dist/cli/main.js';
const PROBE = 'test/support/signal-probe.ts';
const LONG_STEP = 'test/support/long-step.ts';
const ENDLESS = { epochs: 100_000, checkpoint: { steps: 1 } };

/** Files of that ending, in the folders of the folder too; none where there is no folder. */
function filesOf(folder: string, ending: string): string[] {
  if (!existsSync(folder)) return [];
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  return names.filter((name) => name.endsWith(ending));
}

/** Seconds until a process has ended. */
async function untilEnded(pid: number): Promise<number> {
  const start = performance.now();
  await until(async () => (await findProcess(pid)) === null);
  return (performance.now() - start) / 1000;
}

describe('a search and signals', { timeout: 300_000 }, () => {
  const children: ChildProcess[] = [];
  let tiny: TinySearch;
  let output: string;
  let checkpoints: string;

  before(async () => {
    tiny = await writeTinySearch(ENDLESS);
    output = join(tiny.folder, 'output');
    checkpoints = join(output, 'checkpoints');
  });
  after(() => {
    rmSync(tiny.folder, { recursive: true });
  });
  afterEach(async () => {
    // Searches without an end: a test that failed must not leave them to the others.
    for (const child of children.splice(0)) child.kill('SIGKILL');
    const holder = await lockHolder(output);
    if (holder !== null) process.kill(holder.pid, 'SIGKILL');
    rmSync(output, { recursive: true, force: true });
  });

  const command = (): string => `node ${CLI} search -c ${tiny.config} -o ${output}`;
  const manifests = (): string[] => filesOf(checkpoints, '.json');
  const partials = (): string[] => filesOf(output, '.partial');
  const newest = (): number => Math.max(-1, ...manifests().map((name) => parseInt(name, 10)));

  function startSearch(): ChildProcess {
    const child = spawn('/bin/bash', ['-c', `exec ${command()}`], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    children.push(child);
    return child;
  }

  /** Waits for a checkpoint of a later number. */
  async function trainedBeyond(checkpoint: number, child?: ChildProcess): Promise<void> {
    await until(() => newest() > checkpoint, { ...(child && { child }) });
  }

  async function assertWholeCheckpoints(): Promise<void> {
    const { checkpoints } = await folderStatus(output);
    assert.ok(checkpoints.length > 0);
    for (const { damage } of checkpoints) assert.equal(damage, null);
  }

  /** Sends signals; seconds until the process ended, and how it did. */
  async function end(child: ChildProcess, names: NodeJS.Signals[]): Promise<[number, unknown]> {
    const ended = once(child, 'exit');
    const start = performance.now();
    for (const name of names) child.kill(name);
    const [code, signal] = (await ended) as [number | null, NodeJS.Signals | null];
    return [(performance.now() - start) / 1000, code ?? signal];
  }

  for (const name of ['SIGTERM', 'SIGINT'] as const) {
    it(`${name} during a step saves, ends by the signal within 3 s, and the search goes on`, async () => {
      const first = startSearch();
      await trainedBeyond(2, first);
      const [seconds, how] = await end(first, [name]);
      assert.equal(how, name);
      assert.ok(seconds < 3, `${seconds} s`);
      // On a disk that takes longer the process ends in mid-save, which is no harm either.
      if (seconds < 2) assert.deepEqual([partials(), await lockHolder(output)], [[], null]);
      await assertWholeCheckpoints();
      const file = `${String(newest()).padStart(8, '0')}.json`;
      const second = startSearch();
      let said = '';
      second.stderr!.setEncoding('utf8').on('data', (line: string) => (said += line));
      await trainedBeyond(parseInt(file, 10), second);
      await end(second, [name]);
      assert.match(said, new RegExp(`goes on from step .*${file}\n`));
    });
  }

  it('SIGTERM during a save leaves whole checkpoints and no temporary file', async () => {
    const child = startSearch();
    await trainedBeyond(2, child);
    const watcher = watch(checkpoints);
    child.once('exit', () => {
      watcher.close();
    });
    for await (const [, file] of streamOf(watcher)) if (file.endsWith('.partial')) break;
    const [seconds, how] = await end(child, ['SIGTERM']);
    assert.equal(how, 'SIGTERM');
    assert.ok(seconds < 3, `${seconds} s`);
    if (seconds < 2) assert.deepEqual(partials(), []);
    await assertWholeCheckpoints();
  });

  it('two signals at once end it by one of them', async () => {
    const child = startSearch();
    await trainedBeyond(2, child);
    const [seconds, how] = await end(child, ['SIGTERM', 'SIGINT']);
    assert.ok(how === 'SIGTERM' || how === 'SIGINT', String(how));
    assert.ok(seconds < 1, `${seconds} s`);
  });

  it('a signal before the first step ends it too', async () => {
    const child = startSearch();
    await until(() => existsSync(output), { child });
    assert.deepEqual((await end(child, ['SIGTERM']))[1], 'SIGTERM');
  });

  /** Runs bash commands on a terminal of their own, and hangs it up when the search trains. */
  async function hangUp(script: string): Promise<number> {
    const terminal = spawn('script', ['-qefc', script, '/dev/null'], {
      env: { ...process.env, SHELL: '/bin/bash' },
      stdio: ['pipe', 'ignore', 'ignore'],
      detached: true,
    });
    children.push(terminal);
    await trainedBeyond(2, terminal);
    const { pid } = await until(() => lockHolder(output));
    terminal.kill('SIGKILL');
    return pid;
  }

  it('with nohup it outlives its shell and its terminal', async () => {
    const log = join(tiny.folder, 'nohup.log');
    const pid = await hangUp(`nohup ${command()} > ${log} 2>&1 & wait`);
    await until(() => readFileSync(log, 'utf8').includes('SIGHUP: going on'));
    await trainedBeyond(newest());
    process.kill(pid, 'SIGTERM');
    assert.ok((await untilEnded(pid)) < 3);
  });

  it('on a terminal that hangs up it saves and ends by SIGHUP', async () => {
    const status = join(tiny.folder, 'status');
    const job = `${command()} & job=$!; wait $job; wait $job; echo $? > ${status}`;
    const pid = await hangUp(`trap 'kill -HUP $job' HUP; ${job}`);
    assert.ok((await untilEnded(pid)) < 3);
    const code = await until(() => existsSync(status) && (readFileSync(status, 'utf8') || null));
    assert.equal(code, '129\n');
    assert.deepEqual(partials(), []);
  });
});

/** The events of a watched folder. */
async function* streamOf(watcher: ReturnType<typeof watch>): AsyncGenerator<[string, string]> {
  try {
    for (;;) yield (await once(watcher, 'change')) as [string, string];
  } finally {
    watcher.close();
  }
}

describe('the trial of a manager that dies', { timeout: 300_000 }, () => {
  const commands = {
    'a simple command': (plain: string) => `exec ${plain}`,
    'a compound command': (plain: string) => `cd . && ${plain}; echo`,
  };
  for (const [title, command] of Object.entries(commands)) {
    it(`it saves and ends within seconds, started by ${title}`, async (t) => {
      const { pid, folder, manager, shell, stop } = await startTrial(command);
      t.after(() => stop());
      process.kill(manager, 'SIGKILL');
      assert.ok((await untilEnded(pid)) < 10);
      if (shell !== manager) await untilEnded(shell);
      assert.match(readFileSync(join(folder, 'trial.log'), 'utf8'), /has ended: cleaning up/);
      assert.deepEqual(filesOf(folder, '.partial'), []);
    });
  }

  it('cancelled, a compound command leaves no orphan', async (t) => {
    const { pid, experiment, stop } = await startTrial(commands['a compound command']);
    t.after(() => stop());
    const [trial] = await experiment.trials();
    await experiment.cancelTrial(trial!.id);
    assert.ok((await untilEnded(pid)) < 10);
  });

  /** Starts an experiment whose only trial is in mid-search. */
  async function startTrial(command: (plain: string) => string) {
    const { manager: experiment, stop } = await startExperiment({
      trials: 1,
      searchSpace: { seed: { _type: 'choice', _value: [1] } },
      changes: ENDLESS,
      command,
    });
    try {
      await until(async () => (await experiment.metrics()).length > 0, { limitMs: 120_000 });
      const [trial] = await experiment.trials();
      const { pid } = (await lockHolder(trial!.folder))!;
      const shell = (await findProcess(pid))!.parent;
      const isCompound = readFileSync(`/proc/${shell}/comm`, 'utf8') === 'bash\n';
      const manager = isCompound ? (await findProcess(shell))!.parent : shell;
      return { pid, shell, manager, experiment, folder: trial!.folder, stop };
    } catch (error) {
      await stop();
      throw error;
    }
  }
});

describe('signals and the native library', { timeout: 60_000 }, () => {
  function start(flags: string[], program: string) {
    return spawn(process.execPath, [...flags, '--import', 'tsx', program], {
      stdio: ['pipe', 'pipe', 'pipe'],
    });
  }

  /** Computes until its input ends; the text is what it printed. */
  function startProbe(flags: string[]): { probe: ChildProcess; printed: Promise<string> } {
    const probe = start(flags, PROBE);
    probe.stderr.resume();
    return { probe, printed: text(probe.stdout) };
  }

  for (const [names, limit, reason] of [
    [['SIGTERM'], 3, /ends without waiting/],
    [['SIGINT'], 3, /ends without waiting/],
    [['SIGTERM', 'SIGINT'], 1, /^(?!.*ends without)/s],
    // The copy that npm passes on is no second signal.
    [['SIGINT', 'SIGINT'], 3, /ends without waiting/],
  ] as const) {
    it(`${names.join(' and ')} while an operation computes for long: the end within ${limit} s`, async () => {
      const child = start([], LONG_STEP);
      const said = text(child.stderr);
      await once(child.stdout, 'data');
      await untilComputed(child, 0.2);
      const ended = once(child, 'exit');
      const begin = performance.now();
      for (const name of names) {
        child.kill(name);
        await sleep(5);
      }
      const [, how] = (await ended) as [null, NodeJS.Signals];
      assert.ok(
        names.some((name) => name === how),
        how,
      );
      const seconds = (performance.now() - begin) / 1000;
      assert.ok(seconds < limit, `${seconds} s`);
      assert.match(await said, reason);
    });
  }

  it('one that arrives while pure JavaScript computes for long ends it at once', async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'nni-cream-js-'));
    t.after(() => {
      rmSync(folder, { recursive: true });
    });
    const config = await writeShapesSearch(folder, { epochs: 2, engine: 'js' });
    const { child, printed } = startCli(['search', '-c', config, '-o', join(folder, 'output')]);
    await until(() => printed.stderr.includes('pure JavaScript'), { child });
    await untilComputed(child, 0.5);
    const ended = once(child, 'exit');
    const begin = performance.now();
    child.kill('SIGTERM');
    assert.deepEqual(await ended, [null, 'SIGTERM']);
    const seconds = (performance.now() - begin) / 1000;
    assert.ok(seconds < 3, `${seconds} s`);
  });

  it('those that arrive while a matrix kernel computes are heard and damage nothing', async () => {
    const { probe, printed } = startProbe([]);
    const ended = once(probe, 'exit');
    await once(probe.stdout!, 'data');
    for (let sent = 0; sent < 1000 && probe.kill('SIGUSR2'); sent++) await sleep(3);
    probe.stdin!.end();
    assert.deepEqual(await ended, [0, null]);
    const [, heard] = /^computing\nheard (\d+)\n$/.exec(await printed) ?? [];
    assert.ok(Number(heard) > 100, heard);
  });

  it("those of Node's profiler damage nothing either", async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'nni-cream-profile-'));
    t.after(() => {
      rmSync(folder, { recursive: true });
    });
    const { probe } = startProbe(['--cpu-prof', `--cpu-prof-dir=${folder}`]);
    const ended = once(probe, 'exit');
    await once(probe.stdout!, 'data');
    await untilComputed(probe, 3);
    probe.stdin!.end();
    assert.deepEqual(await ended, [0, null]);
    assert.notDeepEqual(filesOf(folder, '.cpuprofile'), []);
  });
});

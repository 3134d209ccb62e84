import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { performance } from 'node:perf_hooks';

/** The built program in a process of its own. */
export class SearchProcess {
  /** First word of the command line. */
  readonly command: string;
  /** Resolves when the process has ended, however. */
  readonly ended: Promise<void>;
  readonly #child: ChildProcess;
  readonly #log: string;
  readonly #startedAtMs = performance.now();
  #ageMs: number | null = null;

  /** @param log - File that takes what the program prints, after what it holds. */
  constructor([command, ...args]: readonly [string, ...string[]], log: string) {
    const output = openSync(log, 'a');
    this.#child = spawn(process.execPath, ['dist/cli/main.js', command, ...args], {
      stdio: ['ignore', output, output],
    });
    closeSync(output);
    this.command = command;
    this.#log = log;
    this.ended = once(this.#child, 'exit').then(() => {
      this.#ageMs = this.ageMs;
    });
  }

  /** Milliseconds since the start; how long it lived, once it has ended. */
  get ageMs(): number {
    return this.#ageMs ?? performance.now() - this.#startedAtMs;
  }

  get hasEnded(): boolean {
    return this.#ageMs !== null;
  }

  /**
   * Ends the process by a signal; false when it was done before.
   *
   * @throws Error when it had failed before.
   */
  async kill(signal: NodeJS.Signals): Promise<boolean> {
    this.#child.kill(signal);
    await this.ended;
    if (this.#child.signalCode === signal) return true;
    await this.finish();
    return false;
  }

  /** Waits until the process is done. @throws Error when it fails. */
  async finish(): Promise<void> {
    await this.ended;
    if (this.#child.exitCode === 0) return;
    const said = readFileSync(this.#log, 'utf8').trim().split('\n').at(-1) ?? '';
    const how = this.#child.exitCode ?? this.#child.signalCode;
    throw new Error(`${this.command} ended with ${how}: ${said} (${this.#log})`);
  }
}

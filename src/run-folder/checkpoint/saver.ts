import { setImmediate as nextTurn } from 'node:timers/promises';
import { messageOf, TrialError } from '../../foundation/errors.ts';
import type { Logger } from '../../foundation/logger.ts';
import type { CheckpointRun } from '../../generated/checkpoint.ts';
import type { Clock } from '../../foundation/clock.ts';
import type { Keeper } from '../../training/loop.ts';
import { restoreSnapshot, takeSnapshot, type SnapshotOwner } from '../../training/snapshot.ts';
import type { SearchState } from '../../training/state.ts';
import { isRollbackPoint, isSteady, newestCheckpoint, saveCheckpoint } from './store.ts';

/** When to save a state, beside the ends of epochs. */
export interface SaveSchedule {
  /** Steps between two saves; by default steps do not count. */
  readonly steps?: number | undefined;
  /** Minutes between two saves. */
  readonly minutes: number;
}

/** What a {@link Saver} needs. */
export interface SaverOptions<Own> {
  /** The output folder. */
  readonly output: string;
  readonly schedule: SaveSchedule;
  readonly run: CheckpointRun;
  readonly owner: SnapshotOwner<Own>;
  readonly clock: Clock;
  readonly now: () => Date;
  readonly logger: Logger;
  /** Fires when the process is about to end: NNI leaves it 5 s. */
  readonly signal: AbortSignal;
}

const MINUTE_MS = 60_000;

/** The last save at a signal requires that the previous save took no longer. */
const QUICK_MS = 1500;

/** Saves the state of a search between two pieces of work, and rolls it back. */
export class Saver<Own> implements Keeper<Own> {
  readonly #options: SaverOptions<Own>;
  /** The state of the newest checkpoint, or of the last attempt to save. */
  #saved: SearchState<Own>;
  #savedAtMs: number;
  /** Infinite before the first save of this process. */
  #lastTookMs = Infinity;
  #spentMs = 0;
  #hasFailed = false;

  /** @param state - The initial or restored state. */
  constructor(options: SaverOptions<Own>, state: SearchState<Own>) {
    this.#options = options;
    this.#saved = state;
    this.#savedAtMs = options.clock();
  }

  /** Time spent on saving, milliseconds. */
  get spentMs(): number {
    return this.#spentMs;
  }

  /**
   * Saves if due, lets the process serve signals and connections, and throws if it must end.
   *
   * @throws TrialError FILE_UNWRITABLE when saving has failed twice in a row.
   */
  async checkpoint(state: SearchState<Own>): Promise<void> {
    if (this.#isDue(state)) await this.#trySave(state);
    await nextTurn();
    const { signal } = this.#options;
    if (!signal.aborted) return;
    if (this.#isNew(state) && this.#lastTookMs <= QUICK_MS) await this.#trySave(state);
    signal.throwIfAborted();
  }

  /** Saves now. @throws TrialError FILE_UNWRITABLE */
  async save(state: SearchState<Own>): Promise<void> {
    const { output, run, owner, clock, now } = this.#options;
    const started = clock();
    const report = state.reports.at(-1);
    const score = state.reports.length > this.#saved.reports.length ? report?.default : null;
    this.#saved = state;
    this.#savedAtMs = started;
    const snapshot = takeSnapshot(state, owner);
    await saveCheckpoint(output, snapshot, { run, savedAt: now(), score: score ?? null });
    this.#lastTookMs = clock() - started;
    this.#spentMs += this.#lastTookMs;
  }

  /** Restores the newest rollback checkpoint. @throws TrialError CHECKPOINT_INVALID */
  async rollBack(): Promise<SearchState<Own>> {
    const { output, owner, logger } = this.#options;
    // If that one is damaged, any that does not follow skipped steps.
    const checkpoint = await newestCheckpoint(output, logger, [isRollbackPoint, isSteady]);
    if (checkpoint === null) {
      throw new TrialError('CHECKPOINT_INVALID', {
        where: output,
        wanted: 'the checkpoint of the last epoch, or of the start',
        found: 'none',
        next: 'Let nothing remove files of the output folder while a search runs.',
      });
    }
    const { step } = checkpoint.manifest.state;
    logger.log('warning', `went back to step ${step}: ${checkpoint.file}`);
    return restoreSnapshot(checkpoint.snapshot, owner);
  }

  #isDue(state: SearchState<Own>): boolean {
    if (!this.#isNew(state)) return false;
    const saved = this.#saved;
    const { schedule, clock } = this.#options;
    return (
      state.reports.length > saved.reports.length ||
      state.stability.rollbacks > saved.stability.rollbacks ||
      state.step - saved.step >= (schedule.steps ?? Infinity) ||
      clock() - this.#savedAtMs >= schedule.minutes * MINUTE_MS
    );
  }

  #isNew(state: SearchState<Own>): boolean {
    return state !== this.#saved;
  }

  async #trySave(state: SearchState<Own>): Promise<void> {
    try {
      await this.save(state);
      this.#hasFailed = false;
    } catch (error) {
      if (this.#hasFailed) throw error;
      this.#hasFailed = true;
      this.#options.logger.log('warning', `the search goes on unsaved: ${messageOf(error)}`);
    }
  }
}

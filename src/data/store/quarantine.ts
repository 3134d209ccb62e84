import { TrialError } from '../../foundation/errors.ts';

/** Most images that may be left out, as a share of those wanted. */
const MAX_SHARE = 0.01;
/** Most consecutive images that may be left out: more look like a lost disk or folder. */
const MAX_IN_A_ROW = 50;
/** Images that an error names. */
const NAMED = 3;

/** An image that could not be used. */
export interface SkippedImage {
  /** Path within the data set. */
  readonly name: string;
  readonly reason: string;
}

const ESCAPES: Readonly<Record<string, string>> = {
  '\\': String.raw`\\`,
  '\t': String.raw`\t`,
  '\n': String.raw`\n`,
  '\r': String.raw`\r`,
};

/** Keeps a text on one line and in one column: tabs, line ends and backslashes become escapes. */
export function escapeField(text: string): string {
  return text.replaceAll(/[\\\t\n\r]/gu, (character) => ESCAPES[character] ?? character);
}

/** Content of `bad_samples.txt`: one line `path<TAB>reason` for each image, empty for none. */
export function formatBadSamples(skipped: readonly SkippedImage[]): string {
  return skipped
    .map(({ name, reason }) => `${escapeField(name)}\t${escapeField(reason)}\n`)
    .join('');
}

/**
 * The images that are left out of a data set, and the limits on their number. They may arrive in any
 * order: `rank` is the position of an image among those wanted.
 */
export class Quarantine {
  readonly #wanted: number;
  readonly #skipped = new Map<number, SkippedImage>();
  #longestRun = 0;

  constructor(wanted: number) {
    this.#wanted = wanted;
  }

  /** Whether a limit is exceeded, so that reading can stop. */
  get isExceeded(): boolean {
    return this.#skipped.size > this.#wanted * MAX_SHARE || this.#longestRun > MAX_IN_A_ROW;
  }

  /** Images left out, by rank. */
  get skipped(): ReadonlyMap<number, SkippedImage> {
    return new Map([...this.#skipped].sort(([a], [b]) => a - b));
  }

  add(rank: number, image: SkippedImage): void {
    this.#skipped.set(rank, image);
    this.#longestRun = Math.max(this.#longestRun, this.#runAround(rank));
  }

  /** @throws TrialError `DATA_INVALID` that names the first images, when a limit is exceeded. */
  check(where: string): void {
    if (!this.isExceeded) return;
    const first = [...this.skipped.values()].slice(0, NAMED);
    const named = first.map(({ name, reason }) => `${escapeField(name)} (${escapeField(reason)})`);
    const { size } = this.#skipped;
    throw new TrialError('DATA_INVALID', {
      where,
      wanted:
        `at most ${MAX_SHARE * 100} % of ${this.#wanted} images, ` +
        `and at most ${MAX_IN_A_ROW} in a row, to be left out`,
      found:
        `${size} that cannot be used, up to ${this.#longestRun} in a row, before reading stopped: ` +
        `${named.join(', ')}${size > NAMED ? ', …' : ''}`,
      next: 'Repair, replace or remove such files; if all are alike, convert the data set to RGB JPEG or PNG.',
    });
  }

  #runAround(rank: number): number {
    let first = rank;
    let last = rank;
    while (this.#skipped.has(first - 1)) first--;
    while (this.#skipped.has(last + 1)) last++;
    return last - first + 1;
  }
}

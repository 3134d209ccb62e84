/**
 * JSON text that every reader between the trial and NNI's tuner takes for what it is: the manager's
 * regular expressions end a metric at the first quote, and the tuner's reader strips comments.
 */

import { floatText } from '../../foundation/metrics.ts';

const UNSAFE = /[#/'\u007f-\uffff]/g;

/** JSON text in ASCII, without the characters that some reader between takes for syntax. */
export function encodeJson(value: unknown): string {
  return JSON.stringify(value).replace(
    UNSAFE,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/**
 * JSON text of named finite numbers, whole ones written as `1.0`: `nnictl trial ls` takes nothing
 * but a float for a result.
 */
export function encodeMetricValue(numbers: readonly (readonly [string, number])[]): string {
  const members = numbers.map(([name, value]) => `${encodeJson(name)}: ${floatText(value)}`);
  return `{${members.join(', ')}}`;
}

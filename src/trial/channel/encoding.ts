/**
 * JSON text that every reader between the trial and NNI's tuner reads correctly: the manager's regular
 * expressions end a metric at the first quote, and the tuner's reader strips comments.
 */

import { floatText } from '../../foundation/metrics.ts';

const UNSAFE = /[#/'\u007f-\uffff]/g;

/** ASCII JSON text, without the characters that such a reader takes for syntax. */
export function encodeJson(value: unknown): string {
  return JSON.stringify(value).replace(
    UNSAFE,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/**
 * JSON text of named finite numbers. Writes integers as `1.0`: `nnictl trial ls` accepts only floats
 * as results.
 */
export function encodeMetricValue(numbers: readonly (readonly [string, number])[]): string {
  const members = numbers.map(([name, value]) => `${encodeJson(name)}: ${floatText(value)}`);
  return `{${members.join(', ')}}`;
}

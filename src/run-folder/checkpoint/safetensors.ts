/**
 * The safetensors format: a length, a JSON header, then the numbers of all tensors, little endian.
 * Any reader of the format opens a checkpoint; it can hold no code.
 *
 * @see https://huggingface.co/docs/safetensors
 */

import type { NamedArray } from '../../foundation/named-arrays.ts';
import { damaged } from './manifest.ts';

/** Bytes of the length in front: a uint64. */
const LENGTH_BYTES = 8;
/** The format's limit on a header. */
const MAX_HEADER_BYTES = 100_000_000;

const TYPES = {
  F32: { bytes: 4, from: (bytes: ArrayBuffer) => new Float32Array(bytes) },
  F64: { bytes: 8, from: (bytes: ArrayBuffer) => new Float64Array(bytes) },
} as const;

/** Writes arrays one after the other, in their order. */
export function encodeSafetensors(arrays: readonly NamedArray[]): Buffer {
  const entries: [string, object][] = [];
  let end = 0;
  for (const { name, shape, values } of arrays) {
    const dtype = values instanceof Float64Array ? 'F64' : 'F32';
    entries.push([name, { dtype, shape, data_offsets: [end, (end += values.byteLength)] }]);
  }
  const text = JSON.stringify(Object.fromEntries(entries));
  // Spaces at the end of the header put the numbers on a multiple of eight bytes.
  const header = Buffer.from(text.padEnd(text.length + (-Buffer.byteLength(text) & 7)));
  const start = LENGTH_BYTES + header.length;
  const file = Buffer.allocUnsafe(start + end);
  file.writeBigUInt64LE(BigInt(header.length));
  header.copy(file, LENGTH_BYTES);
  let at = start;
  for (const { values } of arrays) {
    file.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength), at);
    at += values.byteLength;
  }
  return file;
}

/**
 * Reads arrays of float32 and float64 numbers into separate memory.
 *
 * @param where - The file, for errors.
 * @throws TrialError CHECKPOINT_INVALID
 */
export function decodeSafetensors(file: Uint8Array, where: string): NamedArray[] {
  const start = LENGTH_BYTES + headerLength(file, where);
  const header = parseHeader(file.subarray(LENGTH_BYTES, start), where);
  const numbers = file.subarray(start);
  return Object.entries(header).flatMap(([name, entry]) =>
    name === '__metadata__' ? [] : [arrayOf(name, entry, { numbers, where })],
  );
}

function headerLength(file: Uint8Array, where: string): number {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const length = file.length < LENGTH_BYTES ? Infinity : Number(view.getBigUint64(0, true));
  const most = Math.min(MAX_HEADER_BYTES, file.length - LENGTH_BYTES);
  if (length > most) throw damaged(where, `a header of at most ${most} bytes`, String(length));
  return length;
}

function parseHeader(bytes: Uint8Array, where: string): object {
  let header: unknown;
  try {
    header = JSON.parse(Buffer.from(bytes).toString('utf8'));
  } catch {
    throw damaged(where, 'a header in JSON', 'another text');
  }
  if (typeof header === 'object' && header !== null && !Array.isArray(header)) return header;
  throw damaged(where, 'a JSON object as header', typeof header);
}

function arrayOf(
  name: string,
  entry: unknown,
  { numbers, where }: { numbers: Uint8Array; where: string },
): NamedArray {
  const { dtype, shape, data_offsets: offsets } = Object(entry) as Record<string, unknown>;
  const type = dtype === 'F32' || dtype === 'F64' ? TYPES[dtype] : null;
  if (type === null || !isCounts(shape) || !isCounts(offsets) || offsets.length !== 2) {
    const wanted = `"${name}" as float32 or float64 with a shape and two offsets`;
    throw damaged(where, wanted, JSON.stringify(entry));
  }
  const wanted = shape.reduce((count, length) => count * length, type.bytes);
  const bytes = new Uint8Array(numbers.subarray(...offsets));
  const isThere = bytes.length === wanted && offsets[1] === (offsets[0] ?? NaN) + wanted;
  if (isThere) return { name, shape, values: type.from(bytes.buffer) };
  throw damaged(where, `${wanted} bytes of "${name}"`, `offsets ${offsets.join()}`);
}

function isCounts(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((n) => Number.isSafeInteger(n) && n >= 0);
}

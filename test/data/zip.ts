/** Writes zip archives, honest ones and others. */
import { writeFile } from 'node:fs/promises';
import { crc32, deflateRawSync } from 'node:zlib';
import type { Files } from './support.ts';

/** An entry; a name that ends with a slash is a folder. */
export interface ZipEntry {
  readonly name: string;
  readonly bytes?: Buffer | string;
  /** Type and permissions, as Unix has them. */
  readonly mode?: number;
  readonly isStored?: boolean;
  /** Size that the directory claims in place of the real one. */
  readonly claimedSize?: number;
  readonly flags?: number;
}

const LOCAL = 0x04034b50;
const CENTRAL = 0x02014b50;
const END = 0x06054b50;
const UNIX_VERSION = (3 << 8) | 20;
const UTF8 = 0x800;

function local(entry: ZipEntry): { readonly fields: Buffer; readonly data: Buffer } {
  const content = Buffer.from(entry.bytes ?? '');
  const data = entry.isStored ? content : deflateRawSync(content);
  const fields = Buffer.alloc(26);
  fields.writeUInt16LE(20);
  fields.writeUInt16LE(UTF8 | (entry.flags ?? 0), 2);
  fields.writeUInt16LE(entry.isStored ? 0 : 8, 4);
  fields.writeUInt32LE(crc32(content), 10);
  fields.writeUInt32LE(data.length, 14);
  fields.writeUInt32LE(entry.claimedSize ?? content.length, 18);
  fields.writeUInt16LE(Buffer.byteLength(entry.name), 22);
  return { fields, data };
}

function signed(signature: number, ...pieces: readonly Buffer[]): Buffer {
  const mark = Buffer.alloc(4);
  mark.writeUInt32LE(signature);
  return Buffer.concat([mark, ...pieces]);
}

/** Bytes of an archive with these entries in this order. */
export function zipBytes(entries: readonly ZipEntry[]): Buffer {
  const locals: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const entry of entries) {
    const { fields, data } = local(entry);
    const name = Buffer.from(entry.name);
    const made = Buffer.alloc(2);
    made.writeUInt16LE(UNIX_VERSION);
    const tail = Buffer.alloc(14);
    tail.writeUInt32LE(((entry.mode ?? 0o100644) << 16) >>> 0, 6);
    tail.writeUInt32LE(offset, 10);
    directory.push(signed(CENTRAL, made, fields, tail, name));
    locals.push(signed(LOCAL, fields, name, data));
    offset += locals.at(-1)!.length;
  }
  const size = directory.reduce((sum, { length }) => sum + length, 0);
  const end = Buffer.alloc(18);
  end.writeUInt16LE(entries.length, 4);
  end.writeUInt16LE(entries.length, 6);
  end.writeUInt32LE(size, 8);
  end.writeUInt32LE(offset, 12);
  return Buffer.concat([...locals, ...directory, signed(END, end)]);
}

export async function writeZip(file: string, entries: readonly ZipEntry[]): Promise<void> {
  await writeFile(file, zipBytes(entries));
}

export function zipEntries(files: Files): ZipEntry[] {
  return Object.entries(files).map(([name, bytes]) => ({ name, bytes }));
}

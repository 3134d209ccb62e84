import { crc32 } from 'node:zlib';
import sharp, { type Sharp } from 'sharp';
import { createRng, type Rng } from '../../src/foundation/rng.ts';

/** A picture of noise on a slope, the same every time, so that its file has a body worth damaging. */
function picture(): Sharp {
  const [width, height, channels] = [40, 48, 3] as const;
  const rng = createRng({ seed: 4, stream: 'picture', step: 0 });
  const pixels = Uint8Array.from({ length: width * height * channels }, (_, at) =>
    Math.floor((at / (width * height * channels)) * 180 + rng.uniform() * 70),
  );
  return sharp(pixels, { raw: { width, height, channels } });
}

/** Sound files of every kind that is read, by file name. */
export async function soundImages(): Promise<ReadonlyMap<string, Buffer>> {
  const turned = picture().withMetadata({ orientation: 6 });
  const images = {
    'baseline.jpg': picture().jpeg(),
    'progressive.jpeg': picture().jpeg({ progressive: true }),
    'grey.jpg': picture().toColourspace('b-w').jpeg(),
    'turned.jpg': turned.jpeg(),
    'rgb.png': picture().png(),
    'interlaced.png': picture().png({ progressive: true }),
    'palette.png': picture().png({ palette: true }),
    'deep.PNG': picture().toColourspace('rgb16').png(),
    'alpha.png': picture().ensureAlpha(0.5).png(),
    'lossy.webp': picture().webp(),
    'lossless.webp': picture().webp({ lossless: true }),
    'colours.gif': picture().gif(),
    'strips.tif': picture().tiff({ compression: 'lzw' }),
    'tiles.tiff': picture().tiff({ compression: 'deflate', tile: true, tileWidth: 16 }),
    'plain.tiff': picture().tiff({ compression: 'none' }),
    'still.avif': picture().avif(),
  };
  const files = Object.entries(images).map(
    async ([name, image]) => [name, await image.toBuffer()] as const,
  );
  return new Map(await Promise.all(files));
}

function flip(bytes: Buffer, rng: Rng, limit: number): void {
  for (let flips = 1 + rng.below(8); flips > 0; flips--) {
    const at = rng.below(limit);
    bytes[at] = (bytes[at] ?? 0) ^ (1 << rng.below(8));
  }
}

/** Start and end of a random stretch of at most 200 bytes. */
function stretch(bytes: Buffer, rng: Rng): [number, number] {
  const start = rng.below(bytes.length);
  return [start, Math.min(bytes.length, start + 1 + rng.below(200))];
}

interface Chunk {
  /** Where its length field stands. */
  readonly start: number;
  readonly end: number;
}

const isPng = (bytes: Buffer): boolean => bytes[0] === 0x89;

/** Chunks of a sound PNG, or segments of a sound JPEG up to its body. */
function chunksOf(bytes: Buffer): Chunk[] {
  const chunks: Chunk[] = [];
  let start = isPng(bytes) ? 8 : 2;
  while (start + 8 <= bytes.length) {
    const length = isPng(bytes)
      ? 12 + bytes.readUInt32BE(start)
      : 2 + bytes.readUInt16BE(start + 2);
    chunks.push({ start, end: start + length });
    if (!isPng(bytes) && bytes[start + 1] === 0xda) break;
    start += length;
  }
  return chunks;
}

/** Makes the checksums right again, so that the damage reaches what lies behind them. */
function withChecksums(bytes: Buffer, chunks: readonly Chunk[]): Buffer {
  for (const { start, end } of isPng(bytes) ? chunks : []) {
    if (end <= bytes.length)
      bytes.writeUInt32BE(crc32(bytes.subarray(start + 4, end - 4)), end - 4);
  }
  return bytes;
}

function pick<T>(values: readonly T[], rng: Rng): T {
  return values[rng.below(values.length)]!;
}

/** Where width and height stand, and how wide they are: in IHDR or the first SOF segment. */
function writeDimensions(bytes: Buffer, width: number, height: number): void {
  if (isPng(bytes)) {
    bytes.writeUInt32BE(width, 16);
    bytes.writeUInt32BE(height, 20);
    return;
  }
  const frame = chunksOf(bytes).find(({ start }) => [0xc0, 0xc2].includes(bytes[start + 1]!))!;
  bytes.writeUInt16BE(height & 0xffff, frame.start + 5);
  bytes.writeUInt16BE(width & 0xffff, frame.start + 7);
}

type Damage = (bytes: Buffer, rng: Rng) => Buffer;

const SIDES = [0, 1, 7, 255, 4096, 32_768, 32_769, 65_535, 1_000_000, 0x7fffffff, 0xffffffff];

/** Those that know where the parts of a file are: of a JPEG or PNG. */
const STRUCTURED: readonly string[] = [
  'bits behind right checksums',
  'chunks in another order',
  'wrong lengths',
  'absurd dimensions',
];

/** Whether a damage can be done to a file. */
export function canSuffer(damage: string, name: string): boolean {
  return !STRUCTURED.includes(damage) || /\.(?:jpe?g|png)$/iu.test(name);
}

/** Ways to damage a file; each may change the buffer it is given. */
export const DAMAGES: Readonly<Record<string, Damage>> = {
  'bits of the header': (bytes, rng) => (flip(bytes, rng, 64), bytes),
  'bits of the body': (bytes, rng) => (flip(bytes, rng, bytes.length), bytes),
  'bits behind right checksums': (bytes, rng) => {
    const chunks = chunksOf(bytes);
    flip(bytes, rng, bytes.length);
    return withChecksums(bytes, chunks);
  },
  'cut at any byte': (bytes, rng) => bytes.subarray(0, rng.below(bytes.length)),
  zeros: (bytes, rng) => bytes.fill(0, ...stretch(bytes, rng)),
  garbage: (bytes, rng) => {
    const [start, end] = stretch(bytes, rng);
    for (let at = start; at < end; at++) bytes[at] = rng.below(256);
    return bytes;
  },
  'a missing piece': (bytes, rng) => {
    const [start, end] = stretch(bytes, rng);
    return Buffer.concat([bytes.subarray(0, start), bytes.subarray(end)]);
  },
  'chunks in another order': (bytes, rng) => {
    const chunks = chunksOf(bytes);
    const pieces = chunks.map(({ start, end }) => bytes.subarray(start, end));
    const order = rng.permutation(pieces.length);
    const head = bytes.subarray(0, chunks[0]!.start);
    const tail = bytes.subarray(chunks.at(-1)!.end);
    return Buffer.concat([head, ...Array.from(order, (at) => pieces[at]!), tail]);
  },
  'wrong lengths': (bytes, rng) => {
    const { start } = pick(chunksOf(bytes), rng);
    if (isPng(bytes)) bytes.writeUInt32BE(pick([0, 1, 0xffff, 0x7fffffff, 0xffffffff], rng), start);
    else bytes.writeUInt16BE(pick([0, 1, 2, 3, 0x7fff, 0xffff], rng), start + 2);
    return bytes;
  },
  'absurd dimensions': (bytes, rng) => {
    const chunks = chunksOf(bytes);
    writeDimensions(bytes, pick(SIDES, rng), pick(SIDES, rng));
    return withChecksums(bytes, chunks);
  },
};

import { messageOf, TrialError } from '../../foundation/errors.ts';
import type { DataFormat, ImageSource, ListedImage, Part, Payload } from './source.ts';

/** Images of one part that were stored as plain pixels. */
export interface PixelPart {
  readonly part: Part;
  /** Name of the file, for messages. */
  readonly file: string;
  readonly labels: Uint8Array;
  /** Height and width in pixels. */
  readonly side: number;
  /** `uint8 [side, side, 3]` of one image. */
  pixels(index: number): Uint8Array;
}

/** A format of plain pixels before its files are read. */
export interface PixelFormat {
  readonly path: string;
  readonly format: DataFormat;
  readonly signs: boolean;
  readonly classes: readonly string[];
  fingerprint(): Promise<readonly string[]>;
  /** Loads the files; called once. Errors count as faults of the files. */
  parts(): Promise<readonly PixelPart[]>;
}

async function loadParts(format: PixelFormat): Promise<readonly PixelPart[]> {
  try {
    return await format.parts();
  } catch (cause) {
    if (cause instanceof TrialError) throw cause;
    const complaint = {
      where: format.path,
      wanted: 'files that can be read',
      found: messageOf(cause),
      next: 'Check their permissions, or fetch the data set again.',
    };
    throw new TrialError('DATA_INVALID', complaint, cause);
  }
}

/** Presents decoded pixels as an image source. */
export function openPixelSource(format: PixelFormat): ImageSource {
  let loading: Promise<readonly PixelPart[]> | undefined;
  const parts = (): Promise<readonly PixelPart[]> => (loading ??= loadParts(format));
  return {
    path: format.path,
    format: format.format,
    signs: format.signs,
    fingerprint: () => format.fingerprint(),
    list: async () => ({
      classes: format.classes,
      images: (await parts()).flatMap(listedImages),
      unread: {},
    }),
    async *read(wanted) {
      let position = 0;
      for (const part of await parts()) {
        for (let index = 0; index < part.labels.length; index++, position++) {
          if (wanted.has(position)) {
            const payload: Payload = {
              kind: 'pixels',
              pixels: part.pixels(index),
              side: part.side,
            };
            yield { position, load: () => Promise.resolve(payload) };
          }
        }
      }
    },
  };
}

function listedImages({ part, file, labels }: PixelPart): ListedImage[] {
  return Array.from(labels, (label, index) => ({ name: `${file}[${index}]`, part, label }));
}

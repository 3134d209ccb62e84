import path from 'node:path';
import { fileStamp } from './file-stamp.ts';
import { isImageName, listingOf, type LabelledPath } from './labelled-paths.ts';
import type { ImageSource, Part, Payload, ReadableImage } from './source.ts';
import { tarFiles, type TarFile } from './tar.ts';

const PART_FOLDERS: ReadonlyMap<string, Part> = new Map([
  ['train', 'train'],
  ['val', 'test'],
  ['test', 'test'],
]);

/** One archive and the part it holds where its own folders do not say so. */
export interface FolderArchive {
  readonly path: string;
  readonly part: Part | null;
}

/** Part and class of `[root/]train/<class>/image`, or of `<class>/image` in an archive of one part. */
export function labelOfPath(name: string, part: Part | null): LabelledPath | null {
  const segments = name.split('/');
  const marker = segments.findIndex((segment) => PART_FOLDERS.has(segment));
  const found = PART_FOLDERS.get(segments[marker] ?? '') ?? part;
  const className = marker >= 0 ? segments[marker + 1] : segments.at(-2);
  const hasClass = marker + 2 < segments.length;
  return found !== null && className !== undefined && hasClass && isImageName(name)
    ? { name, part: found, className }
    : null;
}

async function labelledPaths(archives: readonly FolderArchive[]): Promise<LabelledPath[]> {
  const paths: LabelledPath[] = [];
  for (const archive of archives) {
    for await (const { name } of tarFiles(archive.path)) {
      const labelled = labelOfPath(name, archive.part);
      if (labelled !== null) {
        paths.push(labelled);
      }
    }
  }
  return paths;
}

async function loadImage(file: TarFile): Promise<Payload> {
  return { kind: 'encoded', name: file.name, bytes: await file.bytes() };
}

async function* readWanted(
  archives: readonly FolderArchive[],
  wanted: ReadonlySet<number>,
): AsyncGenerator<ReadableImage, void, undefined> {
  let position = -1;
  for (const archive of archives) {
    for await (const file of tarFiles(archive.path)) {
      if (labelOfPath(file.name, archive.part) === null) {
        continue;
      }
      position++;
      if (wanted.has(position)) {
        const loading = loadImage(file);
        // The bytes have to be taken before the archive is read on; `load` tells what went wrong.
        await Promise.allSettled([loading]);
        yield { position, load: () => loading };
      }
    }
  }
}

/** Reads an image folder out of one archive, or out of one archive for each part. */
export function openTarFolder(where: string, archives: readonly FolderArchive[]): ImageSource {
  return {
    path: where,
    format: 'tar',
    signs: false,
    fingerprint: () =>
      Promise.all(
        archives.map((archive) =>
          fileStamp(path.dirname(archive.path), path.basename(archive.path)),
        ),
      ),
    list: async () => listingOf(where, await labelledPaths(archives)),
    read: (wanted) => readWanted(archives, wanted),
  };
}

import path from 'node:path';
import type { ArchiveEntry, ArchiveWalk } from './archive.ts';
import { layoutOf, type Layout } from './archive-layout.ts';
import { Contents, isHidden, isListed, type PlacedFile } from './contents.ts';
import { fileStamp } from './file-stamp.ts';
import type { DataFormat, ImageSource, Part, Payload, ReadableImage } from './source.ts';
import { walkTar } from './tar.ts';
import { isZipName, walkZip } from './zip.ts';

/** One archive, and the part it holds if its own folders do not tell. */
export interface FolderArchive {
  readonly path: string;
  readonly part: Part | null;
}

/** Walks over an archive; its name tells the kind. */
export const walkArchive: ArchiveWalk = (archive) =>
  isZipName(archive) ? walkZip(archive) : walkTar(archive);

/** The contents of a data set's archives. */
interface Gathered {
  readonly contents: Contents;
  /** One per archive. */
  readonly layouts: readonly Layout[];
}

function isVisible({ name }: { readonly name: string }): boolean {
  return !name.split('/').some(isHidden);
}

async function gather(archives: readonly FolderArchive[]): Promise<Gathered> {
  const contents = new Contents();
  const layouts: Layout[] = [];
  for (const archive of archives) {
    const entries: Omit<ArchiveEntry, 'bytes'>[] = [];
    for await (const { name, isFolder } of walkArchive(archive.path)) {
      if (isVisible({ name })) entries.push({ name, isFolder });
    }
    const names = entries.filter(({ isFolder }) => !isFolder).map(({ name }) => name);
    const layout = layoutOf(names, archive.part);
    layouts.push(layout);
    for (const { name, isFolder } of entries) {
      const place = layout(name, isFolder);
      if (place === null) continue;
      if (isFolder) contents.addFolder(place);
      else contents.add({ ...place, name });
    }
  }
  return { contents, layouts };
}

function placed({ name, isFolder }: ArchiveEntry, layout: Layout): PlacedFile | null {
  const place = isFolder || !isVisible({ name }) ? null : layout(name, false);
  return place === null ? null : { ...place, name };
}

async function loadImage(entry: ArchiveEntry): Promise<Payload> {
  return { kind: 'encoded', name: entry.name, bytes: await entry.bytes() };
}

async function* readWanted(
  archives: readonly FolderArchive[],
  layouts: readonly Layout[],
  wanted: ReadonlySet<number>,
): AsyncGenerator<ReadableImage, void, undefined> {
  let position = -1;
  for (const [index, archive] of archives.entries()) {
    for await (const entry of walkArchive(archive.path)) {
      const file = placed(entry, layouts[index] ?? (() => null));
      if (file === null || !isListed(file)) continue;
      position++;
      if (wanted.has(position)) {
        const loading = loadImage(entry);
        // The bytes must be read before the walk continues; `load` reports a failure.
        await Promise.allSettled([loading]);
        yield { position, load: () => loading };
      }
    }
  }
}

/** Reads an image folder from one archive, or from one archive per part. */
export function openArchiveFolder(
  where: string,
  format: DataFormat,
  archives: readonly FolderArchive[],
): ImageSource {
  let gathering: Promise<Gathered> | undefined;
  const gathered = (): Promise<Gathered> => (gathering ??= gather(archives));
  return {
    path: where,
    format,
    signs: false,
    fingerprint: () =>
      Promise.all(
        archives.map((archive) =>
          fileStamp(path.dirname(archive.path), path.basename(archive.path)),
        ),
      ),
    list: async () => (await gathered()).contents.listing(where),
    async *read(wanted) {
      yield* readWanted(archives, (await gathered()).layouts, wanted);
    },
  };
}

import { TEST_FOLDERS, type Place } from './contents.ts';
import { isImageName } from './image-kinds.ts';
import type { Part } from './source.ts';

/** The class and part of an entry; null for an entry outside the data set. */
export type Layout = (name: string, isFolder: boolean) => Place | null;

/** Folders above an entry; those of a folder include itself. */
function foldersOf(name: string, isFolder: boolean): string[] {
  const segments = name.split('/');
  return isFolder ? segments : segments.slice(0, -1);
}

/** Index of the folder of a part that a class folder lies in; -1 for none. */
function indexOfPart(folders: readonly string[], part: string): number {
  const at = folders.indexOf(part);
  return at >= 0 && at < folders.length - 1 ? at : -1;
}

/** Reads `[root/]train/<class>/image`, and `val/` or, without it, `test/`. */
function layoutOfParts(testFolder: string | undefined): Layout {
  return (name, isFolder) => {
    const folders = foldersOf(name, isFolder);
    for (const [folder, part] of [
      ['train', 'train'],
      [testFolder, 'test'],
    ] as const) {
      const at = folder === undefined ? -1 : indexOfPart(folders, folder);
      if (at >= 0) {
        return { part, className: folders[at + 1] ?? null, inner: folders.slice(at + 2) };
      }
    }
    // Beside the class folders, or outside the parts.
    const last = isFolder ? undefined : folders.at(-1);
    if (last === 'train') return { part: 'train', className: null, inner: [] };
    return last !== undefined && last === testFolder
      ? { part: 'test', className: null, inner: [] }
      : null;
  };
}

/** Reads `[root/]<class>/image`. @param depth - Folders of the root. */
function layoutOfClasses(depth: number, part: Part): Layout {
  return (name, isFolder) => {
    const [className, ...inner] = foldersOf(name, isFolder).slice(depth);
    return className === undefined && isFolder
      ? null
      : { part, className: className ?? null, inner };
  };
}

/** Folders that all images lie in, one below the other, above those of the classes. */
function rootDepth(folders: readonly (readonly string[])[]): number {
  const [first] = folders;
  if (first === undefined) return 0;
  const shortest = Math.min(...folders.map(({ length }) => length));
  let depth = 0;
  while (depth < shortest - 1 && folders.every((each) => each[depth] === first[depth])) depth++;
  return depth;
}

/**
 * Detects the layout of an archive's folders from its files.
 *
 * @param names - Paths of its files, hidden ones left out.
 * @param part - The part that the archive holds, if its own folders do not tell.
 */
export function layoutOf(names: readonly string[], part: Part | null): Layout {
  const folders = names.map((name) => foldersOf(name, false));
  const has = (folder: string): boolean => folders.some((each) => indexOfPart(each, folder) >= 0);
  const testFolder = TEST_FOLDERS.find(has);
  if (has('train') || (part === 'test' && testFolder !== undefined)) {
    return layoutOfParts(testFolder);
  }
  const ofImages = names.filter(isImageName).map((name) => foldersOf(name, false));
  return layoutOfClasses(rootDepth(ofImages), part ?? 'train');
}

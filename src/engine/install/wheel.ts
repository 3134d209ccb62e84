/** Gets TensorFlow's pip wheel, checks it and takes the library and its headers out. */
import { createWriteStream, mkdirSync, readdirSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { openPromise } from 'yauzl';
import { TrialError, messageOf } from '../../foundation/errors.ts';
import type { Logger } from '../../foundation/logger.ts';
import type { EngineVariant } from '../library.ts';
import { hashFile } from './files.ts';
import { WHEEL_TAGS, runPip } from './pip.ts';

/** Names of TensorFlow's libraries, in the wheel's `tensorflow/` and in the engine's `lib/`. */
export const LIBRARIES: readonly string[] = [
  'libtensorflow_cc.so.2',
  'libtensorflow_framework.so.2',
];

/** SHA-256 of the cp311 manylinux_2_27 wheels that were tested. */
const PINNED: Readonly<Record<string, string>> = {
  'tensorflow_cpu-2.21.0': '2b847d217b02ee7731ed91431daf3250daa0196c3c94614d23be27232e6e5b6c',
  'tensorflow-2.21.0': '9056fbc9ba04235810b71ae6cbd958a196e8804fb53bbcffbf3e23b56155f124',
};

/** Which wheel, and where to get it. */
export interface WheelRequest {
  readonly variant: EngineVariant;
  readonly version: string;
  /** Wheel file, or folder that holds it; `undefined` downloads it. */
  readonly from?: string | undefined;
  /** Expected SHA-256; `undefined` means the pinned one, if there is one. */
  readonly sha256?: string | undefined;
  /** Python command whose pip downloads. */
  readonly python: string;
  readonly logger: Logger;
}

function distribution(variant: EngineVariant): { readonly pip: string; readonly file: string } {
  return variant === 'gpu'
    ? { pip: 'tensorflow', file: 'tensorflow' }
    : { pip: 'tensorflow-cpu', file: 'tensorflow_cpu' };
}

function wheelIn(folder: string, prefix: string): string {
  const name = readdirSync(folder).find((file) => file.startsWith(prefix) && file.endsWith('.whl'));
  if (name !== undefined) return join(folder, name);
  throw new TrialError('FILE_UNREADABLE', {
    where: folder,
    wanted: `a file ${prefix}….whl`,
    found: 'none',
    next: 'Give --from the wheel itself or the folder that pip download wrote.',
  });
}

async function locateWheel(request: WheelRequest, scratch: string): Promise<string> {
  const { variant, version, from, python, logger } = request;
  const { pip, file } = distribution(variant);
  if (from === undefined) {
    logger.log('info', `downloading ${pip} ${version} with ${python} -m pip`);
    const wanted = [`${pip}==${version}`, '--no-deps', '--dest', scratch];
    await runPip(python, ['download', ...WHEEL_TAGS, ...wanted]);
  } else {
    const found = statSync(from, { throwIfNoEntry: false });
    if (found?.isFile()) return from;
    if (!found?.isDirectory()) {
      throw new TrialError('FILE_UNREADABLE', {
        where: from,
        wanted: 'a wheel, or a folder with a wheel or an installed engine',
        found: 'nothing there',
        next: 'Correct the path given with --from.',
      });
    }
  }
  return wheelIn(from ?? scratch, `${file}-${version}-`);
}

/** Compares a wheel's hash with the given or pinned one; throws DOWNLOAD_FAILED when they differ. */
export function checkWheelHash(request: WheelRequest, where: string, found: string): void {
  const { variant, version, logger } = request;
  const expected = request.sha256 ?? PINNED[`${distribution(variant).file}-${version}`];
  if (expected === undefined) {
    logger.log('warning', `${where}: hash not verified, none is known; sha256 is ${found}`);
  } else if (expected.toLowerCase() !== found) {
    throw new TrialError('DOWNLOAD_FAILED', {
      where,
      wanted: `sha256 ${expected}`,
      found: `sha256 ${found}`,
      next: 'Remove the file and download it again, or name the right hash with --sha256.',
    });
  }
}

/** Downloads the wheel into the scratch folder, or takes a local one, and checks its hash. */
export async function obtainWheel(
  request: WheelRequest,
  scratch: string,
): Promise<{ readonly path: string; readonly sha256: string }> {
  const path = await locateWheel(request, scratch);
  const sha256 = await hashFile(path);
  checkWheelHash(request, basename(path), sha256);
  return { path, sha256 };
}

/** Folders that a wheel is unpacked to. */
interface WheelTargets {
  /** Gets TensorFlow's libraries. */
  readonly library: string;
  /** Gets `METADATA` and the headers in `include/`, which only the installation needs. */
  readonly scratch: string;
}

/** Where an entry of the wheel goes; third-party sources under `external/` are not needed. */
function destination(entry: string, into: WheelTargets): string | undefined {
  const library = LIBRARIES.find((name) => entry === `tensorflow/${name}`);
  if (library !== undefined) return join(into.library, library);
  if (entry.endsWith('.dist-info/METADATA')) return join(into.scratch, 'METADATA');
  const header = /^tensorflow\/include\/(?!external\/)(.*[^/])$/.exec(entry)?.[1];
  return header === undefined ? undefined : join(into.scratch, 'include', header);
}

/** Unpacks TensorFlow's libraries, its headers and its metadata, and nothing else, from a wheel. */
export async function unpackWheel(wheel: string, into: WheelTargets): Promise<void> {
  const missing = new Set(LIBRARIES);
  try {
    const zip = await openPromise(wheel);
    for await (const entry of zip.eachEntry()) {
      const target = destination(entry.fileName, into);
      if (target === undefined) continue;
      mkdirSync(dirname(target), { recursive: true });
      await pipeline(await zip.openReadStreamPromise(entry), createWriteStream(target));
      missing.delete(basename(target));
    }
  } catch (error) {
    throw new TrialError(
      'FILE_UNREADABLE',
      {
        where: wheel,
        wanted: 'a readable wheel and room to unpack it (1.3 GB)',
        found: messageOf(error),
        next: 'Check the free disk space, then download the wheel again.',
      },
      error,
    );
  }
  if (missing.size === 0) return;
  throw new TrialError('ENGINE_UNUSABLE', {
    where: wheel,
    wanted: LIBRARIES.join(' and '),
    found: `no ${[...missing].join(', no ')}`,
    next: 'Choose a TensorFlow version whose wheel holds them, such as 2.21.0.',
  });
}

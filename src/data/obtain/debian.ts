import { execFile } from 'node:child_process';
import { readdir, rename, rmdir } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { unlessUnwritable, withPartial } from '../../foundation/atomic-file.ts';
import { messageOf, TrialError } from '../../foundation/errors.ts';
import type { Logger } from '../../foundation/logger.ts';
import { exists, makeFolder } from '../../foundation/files.ts';

const PACKAGE = 'dataset-fashion-mnist';
/** Folder of the four IDX files in the package. */
const CONTENT = 'usr/share/datasets/fashion-mnist';
const NETWORK_TIMEOUT_S = 20;
/** File names of the MNIST family, in the package and on the official site. */
export const FASHION_FILES = [
  'train-images-idx3-ubyte.gz',
  'train-labels-idx1-ubyte.gz',
  't10k-images-idx3-ubyte.gz',
  't10k-labels-idx1-ubyte.gz',
] as const;

/** Runs a program in a folder; rejects if it fails to start or exits with another code than 0. */
export type RunCommand = (
  command: string,
  args: readonly string[],
  folder: string,
) => Promise<void>;

/** Runs a real program; an error quotes its output. */
export const runCommand: RunCommand = async (command, args, folder) => {
  await promisify(execFile)(command, args, { cwd: folder });
};

/** What fetching a package needs. */
export interface DebianDependencies {
  readonly run: RunCommand;
  readonly logger: Logger;
}

/** Private lists and archives of apt, so that no root is needed. */
async function privateApt(folder: string): Promise<string[]> {
  const state = path.join(folder, 'state');
  const cache = path.join(folder, 'cache');
  await makeFolder(path.join(state, 'lists', 'partial'));
  await makeFolder(path.join(cache, 'archives', 'partial'));
  const options = [
    `Dir::State=${state}`,
    `Dir::Cache=${cache}`,
    'APT::Sandbox::User=root',
    'Acquire::Languages=none',
    'Acquire::Retries=0',
    `Acquire::http::Timeout=${NETWORK_TIMEOUT_S}`,
    `Acquire::https::Timeout=${NETWORK_TIMEOUT_S}`,
  ];
  return options.flatMap((option) => ['-o', option]);
}

async function downloadAndUnpack(folder: string, run: RunCommand): Promise<string> {
  const options = await privateApt(folder);
  await run('apt-get', [...options, 'update'], folder);
  await run('apt-get', [...options, 'download', PACKAGE], folder);
  const archive = (await readdir(folder)).find((name) => name.endsWith('.deb'));
  if (archive === undefined) {
    throw new Error(`apt-get left no ${PACKAGE} package behind`);
  }
  await run('dpkg-deb', ['-x', archive, 'content'], folder);
  return path.join(folder, 'content', CONTENT);
}

/** Whether all four files exist. */
export async function hasFashionMnist(folder: string): Promise<boolean> {
  const found = await Promise.all(FASHION_FILES.map((name) => exists(path.join(folder, name))));
  return found.every(Boolean);
}

/**
 * Takes Fashion-MNIST from Debian's package, whose signature apt verifies. Needs no root: apt uses
 * private lists and a private cache, which are removed afterwards.
 *
 * @param folder - Receives the four IDX files; created if missing.
 * @throws TrialError `DOWNLOAD_FAILED` when apt or dpkg is missing or fails; `FILE_UNWRITABLE` when
 * the folder cannot be made.
 */
export async function fetchFashionMnistFromDebian(
  folder: string,
  { run, logger }: DebianDependencies,
): Promise<void> {
  if (await hasFashionMnist(folder)) {
    return;
  }
  logger.log('info', `data: Fashion-MNIST from Debian's package ${PACKAGE}`);
  await unlessUnwritable(folder, () => makeFolder(folder));
  try {
    await withPartial(path.resolve(folder), async (work) => {
      const content = await downloadAndUnpack(work, run);
      for (const name of FASHION_FILES) {
        await rename(path.join(content, name), path.join(folder, name));
      }
    });
  } catch (cause) {
    // A folder that did not exist before is removed again.
    await rmdir(folder).catch(() => undefined);
    const complaint = {
      where: `Debian package ${PACKAGE}`,
      wanted: 'apt-get download and dpkg-deb -x to work',
      found: messageOf(cause).trim(),
      next: 'Check the package sources of apt, or choose other data.',
    };
    throw new TrialError('DOWNLOAD_FAILED', complaint, cause);
  }
}

import path from 'node:path';
import { TrialError } from '../../foundation/errors.ts';
import {
  FASHION_FILES,
  fetchFashionMnistFromDebian,
  hasFashionMnist,
  type DebianDependencies,
} from './debian.ts';
import { downloadOnce } from './download.ts';
import type { DatasetName } from './names.ts';
import { writeShapes, type ShapesSpec } from './shapes.ts';

/** The default generated set. */
const DEFAULT_SHAPES = { classes: 10, train: 6000, test: 1000, size: 32, seed: 1 };

const CIFAR10_PLACE = 'https://www.cs.toronto.edu/~kriz/';
const CIFAR10_FILE = 'cifar-10-binary.tar.gz';
const FASHION_PLACE = 'http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/';

/** MD5 of each file, as published on its official page. */
const CHECKSUMS = {
  [CIFAR10_FILE]: 'c32a1d4ab5d03f1284b67883e8d87530',
  'train-images-idx3-ubyte.gz': '8d4fb7e6c68d591d4c3dfef9ec88bf0d',
  'train-labels-idx1-ubyte.gz': '25c81989df183df01b3e8a0aad5dffbe',
  't10k-images-idx3-ubyte.gz': 'bef4ecab320f06d8554ea6380940ec79',
  't10k-labels-idx1-ubyte.gz': 'bb300cfdad3c16e7a12a480ee83cd310',
} as const;

/** Target folder and means of fetching. */
export interface FetchOptions extends DebianDependencies {
  /** Folder of all fetched data; each set gets its own folder in it. */
  readonly folder: string;
  readonly fetch: typeof globalThis.fetch;
  /** Mirror in place of the official sites; ends with a slash. */
  readonly baseUrl?: string | undefined;
  /** Size of the generated set; default 6,000 training images of 32 x 32 pixels. */
  readonly shapes?: ShapesSpec | undefined;
}

async function downloadFiles(
  names: readonly (keyof typeof CHECKSUMS)[],
  folder: string,
  options: Pick<FetchOptions, 'fetch' | 'logger'> & { readonly place: string },
): Promise<void> {
  for (const name of names) {
    const remote = { url: new URL(name, options.place).href, md5: CHECKSUMS[name] };
    options.logger.log('info', `data: ${remote.url}`);
    await downloadOnce(remote, path.join(folder, name), options.fetch);
  }
}

/** Whether another source may help; a disk that refuses the data would refuse it again. */
function isDownloadFailure(thrown: unknown): thrown is TrialError {
  return thrown instanceof TrialError && thrown.code === 'DOWNLOAD_FAILED';
}

/** Debian's package if there is apt-get; if not, or on failure, the official site. */
async function fetchFashionMnist(folder: string, options: FetchOptions): Promise<void> {
  if (await hasFashionMnist(folder)) {
    return;
  }
  try {
    await fetchFashionMnistFromDebian(folder, options);
  } catch (thrown) {
    if (!isDownloadFailure(thrown)) {
      throw thrown;
    }
    options.logger.log('warning', `data: ${thrown.message}`);
    const place = options.baseUrl ?? FASHION_PLACE;
    await downloadFiles(FASHION_FILES, folder, { ...options, place });
  }
}

/**
 * Fetches or draws a data set once and returns its path, whose format `auto` detects.
 *
 * @throws TrialError `DOWNLOAD_FAILED` when no source has it with the published checksum,
 * `FILE_UNWRITABLE` when it cannot be stored.
 */
export async function fetchDataset(name: DatasetName, options: FetchOptions): Promise<string> {
  const folder = path.join(options.folder, name);
  switch (name) {
    case 'cifar10':
      await downloadFiles([CIFAR10_FILE], folder, {
        ...options,
        place: options.baseUrl ?? CIFAR10_PLACE,
      });
      return path.join(folder, CIFAR10_FILE);
    case 'fashion-mnist':
      await fetchFashionMnist(folder, options);
      return folder;
    case 'shapes':
      options.logger.log('info', `data: generated shapes in ${folder}`);
      await writeShapes(folder, options.shapes ?? DEFAULT_SHAPES);
      return folder;
  }
}

/** Fashion-MNIST if available, else generated shapes; the log says which. */
export async function defaultData(options: FetchOptions): Promise<string> {
  try {
    const folder = await fetchDataset('fashion-mnist', options);
    options.logger.log('info', `data: Fashion-MNIST in ${folder}`);
    return folder;
  } catch (thrown) {
    if (!isDownloadFailure(thrown)) {
      throw thrown;
    }
    options.logger.log('warning', `data: Fashion-MNIST cannot be had: ${thrown.message}`);
    return fetchDataset('shapes', options);
  }
}

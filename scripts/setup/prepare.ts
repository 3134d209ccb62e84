import { join } from 'node:path';
import { installEngine } from '../../src/engine/install/install.ts';
import type { Logger } from '../../src/foundation/logger.ts';
import { ensurePythonEnvironment } from './python-environment.ts';

/** What the bootstrap hands over. */
export interface Setup {
  /** Absolute path of the project. */
  readonly root: string;
  /** Command of a Python that can make an environment. */
  readonly python: string;
  /** Arguments after `npm start --` or `npm test --`. */
  readonly args: readonly string[];
}

/** Says on the terminal what set-up does. */
export const setupLogger: Logger = {
  log: (_level, message) => {
    console.log(`set-up: ${message}`);
  },
};

/**
 * Installs what npm does not: NNI in a Python environment, then TensorFlow with the pip in it.
 *
 * @returns the folder of the Python environment.
 */
export async function prepare({ root, python }: Setup): Promise<string> {
  const pythonFolder = join(root, '.python');
  ensurePythonEnvironment({ folder: pythonFolder, python, env: process.env, logger: setupLogger });
  await installEngine({ logger: setupLogger });
  return pythonFolder;
}

import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { TrialError } from '../../src/foundation/errors.ts';
import type { Logger } from '../../src/foundation/logger.ts';

/**
 * NNI, and the limits without which NNI 3.0 does not start on today's packages; a reader of
 * checkpoints.
 */
const REQUIREMENTS = [
  'nni==3.0',
  'setuptools<81',
  'filelock<3.12',
  'typeguard>=3,<4.1.3',
  'safetensors[numpy]==0.6.2',
];

export interface PythonEnvironment {
  /** Absolute path of the environment; whatever lies there and is not complete is replaced. */
  readonly folder: string;
  /** Command of a Python 3.9 to 3.11 with venv. */
  readonly python: string;
  readonly env: NodeJS.ProcessEnv;
  readonly logger: Logger;
}

/**
 * Makes the Python environment that holds NNI; does nothing when it is complete.
 *
 * It is built in place, because the scripts in an environment name its absolute path, and stamped
 * last: an interrupted, moved or outdated environment has no matching stamp and is built anew.
 *
 * @throws TrialError NNI_UNAVAILABLE when Python or pip fails.
 */
export function ensurePythonEnvironment({ folder, python, env, logger }: PythonEnvironment): void {
  const stampFile = join(folder, 'complete.json');
  const stamp = JSON.stringify({ folder, requirements: REQUIREMENTS });
  if (existsSync(join(folder, 'bin/python')) && readIfThere(stampFile) === stamp) return;

  logger.log('info', `NNI 3.0 in a Python environment of its own, ${folder}`);
  rmSync(folder, { recursive: true, force: true });
  runStep(python, ['-m', 'venv', folder], env);
  runStep(join(folder, 'bin/pip'), ['install', '--quiet', '--no-input', ...REQUIREMENTS], env);
  writeFileSync(stampFile, stamp);
}

function readIfThere(file: string): string | null {
  return existsSync(file) ? readFileSync(file, 'utf8') : null;
}

function runStep(command: string, args: readonly string[], env: NodeJS.ProcessEnv): void {
  const { status, stdout, stderr, error } = spawnSync(command, args, { env, encoding: 'utf8' });
  if (status === 0) return;
  const lines = `${stdout}\n${stderr}`.split('\n').filter((line) => line.trim() !== '');
  throw new TrialError('NNI_UNAVAILABLE', {
    where: [command, ...args].join(' '),
    wanted: 'it to succeed',
    found: error?.message ?? lines.find((line) => line.startsWith('ERROR')) ?? lines.at(-1) ?? '',
    next: 'PyPI must be reachable (a proxy is named by HTTPS_PROXY, a mirror by PIP_INDEX_URL). Then repeat the command.',
  });
}

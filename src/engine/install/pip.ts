import { TrialError } from '../../foundation/errors.ts';
import { lastLines, runCommand } from './command.ts';

/** The interpreter in the wheel's name is fixed: no Python code of the wheel ever runs. */
export const WHEEL_TAGS: readonly string[] = [
  ['--python-version', '3.11'],
  ['--implementation', 'cp'],
  ['--abi', 'cp311'],
  ['--platform', 'manylinux_2_27_x86_64'],
  ['--platform', 'manylinux2014_x86_64'],
  ['--only-binary', ':all:'],
].flat();

const PIP_QUIET = ['--disable-pip-version-check', '--no-input', '--progress-bar', 'off'];

/** Runs pip with the given arguments; throws DOWNLOAD_FAILED or ENVIRONMENT_UNSUPPORTED. */
export async function runPip(python: string, args: readonly string[]): Promise<void> {
  const [verb = '', ...rest] = args;
  const { status, output, notFound } = await runCommand(python, [
    ...['-m', 'pip', verb, ...PIP_QUIET],
    ...rest,
  ]);
  if (status === 0) return;
  if (notFound || output.includes('No module named pip')) {
    throw new TrialError('ENVIRONMENT_UNSUPPORTED', {
      where: python,
      wanted: 'Python 3 with pip',
      found: lastLines(output),
      next: 'Install it (apt-get install python3-venv) and run: python3 -m venv .python',
    });
  }
  throw new TrialError('DOWNLOAD_FAILED', {
    where: `${python} -m pip ${args.join(' ')}`,
    wanted: 'a package from the package index',
    found: lastLines(output),
    next: 'Check the network and the proxy settings, or give a downloaded wheel with --from.',
  });
}

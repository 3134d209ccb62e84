/**
 * What must be there before anything is installed. Runs before `npm ci`, on any Node version, so it
 * uses Node built-ins only.
 */
import { spawnSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';

const PYTHON_VERSIONS = ['3.9', '3.10', '3.11'];
const PYTHON_COMMANDS = ['python3.11', 'python3.10', 'python3.9', 'python3', 'python'];

/** @typedef {{ where: string, wanted: string, found: string, next: string }} Complaint */

/** Set-up cannot go on, and the person who started it can do something about it. */
export class SetupError extends Error {
  /** @param {string} code @param {Complaint} complaint */
  constructor(code, { where, wanted, found, next }) {
    super(`${where}: wanted ${wanted}; found ${found}. ${next}`);
    this.name = 'SetupError';
    this.code = code;
  }
}

/** @param {Complaint} complaint */
const unsupported = (complaint) => new SetupError('ENVIRONMENT_UNSUPPORTED', complaint);

/** @param {string} platform @param {string} arch as in `process` */
export function checkPlatform(platform, arch) {
  if (platform === 'linux' && arch === 'x64') return;
  throw unsupported({
    where: 'operating system',
    wanted: 'Linux on x86-64 (linux x64)',
    found: `${platform} ${arch}`,
    next: 'Run it there, or in a container or virtual machine of that kind.',
  });
}

/** @param {string} version such as `22.13.0` @param {string} range `^20.19.0 || ^22.13.0`, as in package.json */
export function checkNode(version, range) {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const supported = range.split('||').some((part) => {
    const [wantedMajor = 0, wantedMinor = 0] = part.trim().slice(1).split('.').map(Number);
    return major === wantedMajor && minor >= wantedMinor;
  });
  if (supported) return;
  throw unsupported({
    where: 'Node',
    wanted: range,
    found: version,
    next: 'Install one of these versions and put it first on the PATH.',
  });
}

/** @param {string} folder */
function checkWritable(folder) {
  try {
    accessSync(folder, constants.W_OK);
  } catch {
    throw new SetupError('FILE_UNWRITABLE', {
      where: folder,
      wanted: 'a writable folder',
      found: 'no permission to write',
      next: 'Everything is installed inside it: clone the project where you may write.',
    });
  }
}

/** @param {NodeJS.ProcessEnv} env */
function checkCompiler(env) {
  if (spawnSync('g++', ['--version'], { env }).status === 0) return;
  throw unsupported({
    where: 'C++ compiler',
    wanted: 'g++ on the PATH',
    found: 'none',
    next: 'Debian and Ubuntu: apt install g++.',
  });
}

/** @param {string} command @param {NodeJS.ProcessEnv} env @returns {Complaint | null} null when usable */
function complaintAbout(command, env) {
  const probe =
    'import sys; print("%d.%d" % sys.version_info[:2], flush=True); import ensurepip, venv';
  const { status, stdout } = spawnSync(command, ['-c', probe], { env, encoding: 'utf8' });
  const version = stdout?.trim();
  const where = 'Python';
  if (!version) {
    return { where, wanted: 'Python 3.9 to 3.11', found: 'none', next: 'Install python3.11.' };
  }
  if (!PYTHON_VERSIONS.includes(version)) {
    return {
      where: `${where} (${command})`,
      wanted: 'version 3.9 to 3.11, which NNI 3.0 runs on',
      found: version,
      next: 'Install one of these beside it, and name it in NNI_CREAM_PYTHON if it is not on the PATH.',
    };
  }
  if (status === 0) return null;
  return {
    where: `${where} (${command})`,
    wanted: 'the modules venv and ensurepip',
    found: 'one of them missing',
    next: `Debian and Ubuntu: apt install python${version}-venv.`,
  };
}

/** @param {NodeJS.ProcessEnv} env @returns {string} the command of a Python that can make the environment */
function findPython(env) {
  const commands = env['NNI_CREAM_PYTHON'] ? [env['NNI_CREAM_PYTHON']] : PYTHON_COMMANDS;
  const complaints = [];
  for (const command of commands) {
    const complaint = complaintAbout(command, env);
    if (!complaint) return command;
    complaints.push(complaint);
  }
  // The most helpful one: a Python that lacks something, rather than a name that is not there.
  throw unsupported(
    /** @type {Complaint} */ (complaints.find(({ found }) => found !== 'none') ?? complaints[0]),
  );
}

/**
 * Checks everything in order, cheapest first.
 *
 * @param {{ root: string, nodeRange: string, env: NodeJS.ProcessEnv }} setup
 * @returns {{ python: string }}
 */
export function checkMachine({ root, nodeRange, env }) {
  checkPlatform(process.platform, process.arch);
  checkNode(process.versions.node, nodeRange);
  checkWritable(root);
  checkCompiler(env);
  return { python: findPython(env) };
}

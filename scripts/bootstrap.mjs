/**
 * Entry of `npm start` and `npm test`: checks the machine, installs the npm packages, compiles the
 * product, and hands over to TypeScript. Node built-ins only, because nothing is installed yet.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { checkMachine, SetupError } from './setup/machine.mjs';
import { parseStartArguments, START_HELP } from './start/arguments.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** @param {string} file relative to the project */
const readJson = (file) => JSON.parse(readFileSync(join(root, file), 'utf8'));

/** Whether node_modules holds what package-lock.json asks for. npm writes its own list last. */
function packagesInstalled() {
  if (!existsSync(join(root, 'node_modules/.package-lock.json'))) return false;
  const installed = readJson('node_modules/.package-lock.json').packages;
  return Object.entries(readJson('package-lock.json').packages).every(
    ([path, { version, optional }]) =>
      path === '' || optional || installed[path]?.version === version,
  );
}

/** @param {string} step @param {string[]} args of npm @param {string} hint */
function npm(step, args, hint) {
  console.log(`set-up: ${step}`);
  const { status, error } = spawnSync('npm', args, { cwd: root, stdio: 'inherit' });
  if (status === 0) return;
  throw new SetupError('ENVIRONMENT_UNSUPPORTED', {
    where: step,
    wanted: `npm ${args.join(' ')} to succeed`,
    found: error ? error.message : `exit code ${status}, its output is above`,
    next: hint,
  });
}

/** @param {string} name */
async function load(name) {
  const { register } = await import('tsx/esm/api');
  register();
  return name === 'start' ? (await import('./start.ts')).start : (await import('./test.ts')).test;
}

/** @param {string} command @param {string[]} args */
async function main(command, args) {
  if (command === 'start' && parseStartArguments(args).help) {
    console.log(START_HELP);
    return 0;
  }
  const nodeRange = readJson('package.json').engines.node;
  const { python } = checkMachine({ root, nodeRange, env: process.env });
  const again = `npm ${command}`;
  if (!packagesInstalled()) {
    const hint = `The npm registry must be reachable (a proxy is named by HTTPS_PROXY). Then repeat: ${again}.`;
    npm('npm packages', ['ci', '--no-progress', '--loglevel=error'], hint);
  }
  npm('compile', ['run', '--silent', 'build'], `Correct the source, then repeat: ${again}.`);
  const run = await load(command);
  return run({ root, python, args });
}

const [command = '', ...args] = process.argv.slice(2);
if (command !== 'start' && command !== 'test') {
  console.error('usage: node scripts/bootstrap.mjs start|test [arguments]');
  process.exitCode = 2;
} else {
  try {
    process.exitCode = await main(command, args);
  } catch (error) {
    // A SetupError or a TrialError: the person who started it can do something about it.
    if (!(error instanceof Error && 'code' in error)) throw error;
    console.error(`${error.code}: ${error.message}`);
    process.exitCode = 1;
  }
}

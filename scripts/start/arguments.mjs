/**
 * What `npm start` is asked for. Read before anything is installed, so it uses Node built-ins only.
 */
import { parseArgs } from 'node:util';
import { SetupError } from '../setup/machine.mjs';

const USAGE = 'npm start -- [--data PATH|cifar10|fashion-mnist|shapes] [--port 8080]';

export const START_HELP = `Usage: ${USAGE}

Installs what is missing, starts an architecture search as a real NNI experiment, and follows it.

  --data PATH      your own images: a folder with one folder a class, or an archive of it;
                   image size, batch and lengths are chosen to suit them
  --data NAME      cifar10, fashion-mnist (both are fetched) or shapes (drawn, needs no network)
                   without --data: Fashion-MNIST with the settings of nni-config/trial.yml
  --port NUMBER    port of the web UI, 8080 if it is left out
  -h, --help       this text; installs nothing`;

/**
 * @typedef {object} StartArguments
 * @property {string | null} data a path or a known name; null to choose for the user
 * @property {number} port of the web UI
 * @property {boolean} help whether only the help is wanted
 */

/** @param {string} wanted @param {string} found */
function usageError(wanted, found) {
  return new SetupError('USAGE', { where: 'npm start', wanted, found, next: `Usage: ${USAGE}` });
}

/** @param {readonly string[]} args */
function parse(args) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        data: { type: 'string' },
        port: { type: 'string', default: '8080' },
        help: { type: 'boolean', short: 'h', default: false },
      },
    }).values;
  } catch (error) {
    throw usageError('known options', error instanceof Error ? error.message : String(error));
  }
}

/**
 * @param {readonly string[]} args after `npm start --`
 * @returns {StartArguments}
 * @throws {SetupError} USAGE
 */
export function parseStartArguments(args) {
  const { data = null, port, help } = parse(args);
  const number = Number(port);
  if (!Number.isInteger(number) || number < 1 || number > 65535) {
    throw usageError('--port with a number from 1 to 65535', String(port));
  }
  return { data, port: number, help: help === true };
}

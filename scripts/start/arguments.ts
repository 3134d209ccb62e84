import { parseArgs } from 'node:util';
import { messageOf, TrialError } from '../../src/foundation/errors.ts';

/** What `npm start` was asked for. */
export interface StartArguments {
  /** A path or a known name; null to choose for the user. */
  readonly data: string | null;
  /** Port of the web UI. */
  readonly port: number;
}

const USAGE = 'npm start -- [--data PATH|cifar10|fashion-mnist|shapes] [--port 8080]';

/** @throws TrialError USAGE */
export function parseStartArguments(args: readonly string[]): StartArguments {
  const { data = null, port } = parse(args);
  const number = Number(port);
  if (!Number.isInteger(number) || number < 1 || number > 65535) {
    throw usageError('--port with a number from 1 to 65535', port);
  }
  return { data, port: number };
}

function parse(args: readonly string[]): { data?: string; port: string } {
  try {
    const options = {
      data: { type: 'string' },
      port: { type: 'string', default: '8080' },
    } as const;
    return parseArgs({ args: [...args], options }).values;
  } catch (error) {
    throw usageError('known options', messageOf(error));
  }
}

function usageError(wanted: string, found: string): TrialError {
  return new TrialError('USAGE', { where: 'npm start', wanted, found, next: `Usage: ${USAGE}` });
}

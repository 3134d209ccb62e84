/**
 * The trial's side of its connection to NNI. A connection ends in one of three ways:
 *
 * - Closed: either side ended it on purpose (our `close`, HTTP 410, `_bye_`). Pending and later calls
 *   reject with CHANNEL_CLOSED.
 * - Lost: it broke and the channel repairs it, within bounds. The caller only waits longer.
 * - Failed: the repair failed, or the other side violates the protocol. Calls reject with
 *   CHANNEL_FAILED.
 *
 * Channels over files and stdout have no connection: they can only fail.
 */
import type { Metric, ParameterCommand } from '../../generated/nni-message.ts';
import { TrialError, messageOf } from '../../foundation/errors.ts';
import { isNestedTooDeeply, MAX_NESTING } from '../../foundation/nesting.ts';
import { isUndelivered } from './http-exchange.ts';

/** What the tuner chose for this trial. */
export interface ParameterRecord {
  /** The tuner's number of the record; null for a trial without a tuner. */
  readonly parameterId: number | null;
  /** The chosen values by name. */
  readonly parameters: Readonly<Record<string, unknown>>;
}

/** One connection to NNI. The top of this file explains its errors. */
export interface TrialChannel {
  /** The trial's parameters. Repeated calls ask NNI only once. */
  receiveParameters(): Promise<ParameterRecord>;
  /**
   * Resolves when NNI has the metric; in a protocol without answers, when the operating system has it.
   * After a rejection {@link mayHaveArrived} tells whether it may have arrived.
   */
  sendMetric(metric: Metric): Promise<void>;
  /**
   * Keys of the trial's metrics that NNI has, at least those asked for; null if NNI can never tell.
   * Rejects if it cannot tell now.
   *
   * @param asked - Keys as {@link metricKey} makes them.
   */
  receivedMetrics(asked: readonly string[]): Promise<ReadonlySet<string> | null>;
  /** Releases the connection. Idempotent. Nothing may be sent afterwards. */
  close(): Promise<void>;
}

/** Identifies a metric of a trial, such as `PERIODICAL/3`. */
export function metricKey({ type, sequence }: Pick<Metric, 'type' | 'sequence'>): string {
  return `${type}/${sequence}`;
}

/**
 * Whether NNI may have a metric whose sending failed. The error has a cause if the sending had
 * started; without one, NNI or this side has refused the metric.
 */
export function mayHaveArrived(error: unknown): boolean {
  if (!(error instanceof TrialError)) return true;
  return error.cause !== undefined && !isUndelivered(error.cause);
}

/**
 * Reads the text of a parameter record. Ignores NNI's other keys.
 *
 * @param where - Where the text came from, for the complaint.
 * @throws TrialError CHANNEL_FAILED when it is not one.
 */
export function parseParameterRecord(text: string, where: string): ParameterRecord {
  const { parameter_id: parameterId, parameters } = asObject(parseJson(text, where)) ?? {};
  const values = asObject(parameters);
  if (values === null || !isRecordId(parameterId)) {
    throw channelFailed(where, 'a record with parameter_id and an object of parameters', text);
  }
  return { parameterId, parameters: values };
}

/**
 * The record that a parameter command carries.
 *
 * @throws TrialError CHANNEL_FAILED when it is no such command.
 */
export function recordOfCommand(
  command: Partial<Record<keyof ParameterCommand, unknown>> | null,
  where: string,
): ParameterRecord {
  if (command?.type === 'parameter' && typeof command.parameter === 'string') {
    return parseParameterRecord(command.parameter, where);
  }
  throw channelFailed(where, 'a parameter command', JSON.stringify(command));
}

/** @throws TrialError CHANNEL_FAILED when the text is not JSON, or nested too deeply. */
export function parseJson(text: string, where: string): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw channelFailed(where, 'JSON text', text, error);
  }
  if (isNestedTooDeeply(value)) {
    throw channelFailed(where, `JSON of at most ${MAX_NESTING} levels`, text);
  }
  return value;
}

/** The value if it is a JSON object, else null. */
export function asObject(value: unknown): Readonly<Record<string, unknown>> | null {
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
  return isObject ? (value as Readonly<Record<string, unknown>>) : null;
}

function isRecordId(value: unknown): value is number | null {
  return value === null || Number.isInteger(value);
}

const QUOTED_CHARACTERS = 200;

/** The failure of a channel. */
export function channelFailed(
  where: string,
  wanted: string,
  found: string,
  cause?: unknown,
): TrialError {
  const quoted = found.length > QUOTED_CHARACTERS ? `${found.slice(0, QUOTED_CHARACTERS)}…` : found;
  return new TrialError(
    'CHANNEL_FAILED',
    {
      where,
      wanted,
      found: quoted === '' ? 'nothing' : quoted,
      next: "Read the manager's log (nnictl log stderr; nnimanager.log in the experiment's folder).",
    },
    cause,
  );
}

/**
 * The rejection of every call on a closed channel.
 *
 * @param cause - How the end interrupted a call; none if no call was pending.
 */
export function channelClosed(where: string, reason: string, cause?: unknown): TrialError {
  const complaint = {
    where,
    wanted: 'an open channel',
    found: `a closed one (${reason})`,
    next: 'The experiment or this trial is being stopped; if it is not, resume it with nnictl resume.',
  };
  return new TrialError('CHANNEL_CLOSED', complaint, cause);
}

/** Text of a network error, whose message is empty when Node tried two addresses. */
export function networkMessage(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return messageOf(error) || code;
}

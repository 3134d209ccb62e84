/** The REST API of a running NNI 3.0 manager, as far as this program uses it. */

import restSchema from '../../schemas/nni-rest.schema.json' with { type: 'json' };
import { messageOf, TrialError } from '../foundation/errors.ts';
import { createValidator, type Validator } from '../foundation/schema.ts';
import type { Timers } from '../foundation/timers.ts';
import type {
  ExperimentProfile,
  ExperimentStatus,
  MetricData,
  TrialJobInfo,
} from '../generated/nni-rest.ts';

/** Which manager, and how long it may take. */
export interface ManagerAddress {
  /**
   * Address of the web UI, such as `http://localhost:8080`, or `http://host:8080/prefix` for one that
   * was created with `--url_prefix prefix`.
   */
  readonly url: string;
  readonly timers: Timers;
  /** For one whole answer, milliseconds; 30,000 if left out. */
  readonly timeoutMs?: number;
}

/** One trial. */
export interface TrialJob {
  readonly id: string;
  /** Position in the order of submission, from 0. */
  readonly sequence: number;
  /** `WAITING`, `RUNNING`, `SUCCEEDED`, `FAILED`, `USER_CANCELED`, … */
  readonly status: string;
  /** What the tuner drew for this trial. */
  readonly parameters: Readonly<Record<string, unknown>>;
  /** The trial's output folder, on the machine that runs it; empty before it was launched. */
  readonly folder: string;
  /** Null before it was launched. */
  readonly started: Date | null;
  /** Null before it has ended. */
  readonly ended: Date | null;
}

/** One report of a trial. */
export interface Metric {
  readonly trialId: string;
  readonly type: 'PERIODICAL' | 'FINAL';
  /** Position among the trial's intermediate reports, from 0; 0 of the final one. */
  readonly sequence: number;
  /** The numbers of the report by name; a report that is a bare number is `default`. */
  readonly values: Readonly<Record<string, number>>;
}

/** A manager; each call rejects with NNI_UNAVAILABLE when it does not answer as NNI 3.0 does. */
export interface Manager {
  /** As it was given, without slashes at its end. */
  readonly url: string;
  status(): Promise<ExperimentStatus>;
  /** The experiment that the manager runs, or shows. */
  experiment(): Promise<ExperimentProfile>;
  /** All trials in the order of their submission. */
  trials(): Promise<readonly TrialJob[]>;
  /** All reports of all trials: by trial, then the intermediate ones in sequence, then FINAL. */
  metrics(): Promise<readonly Metric[]>;
  /**
   * The text of a file in the trial's output folder.
   *
   * @param name - `trial.log`, `stdout`, `stderr`, or the name of another file there.
   */
  trialFile(trialId: string, name: string): Promise<string>;
  /** Stops a trial; NNI first asks it to end and kills it after 5 s. */
  cancelTrial(trialId: string): Promise<void>;
}

const TIMEOUT_MS = 30_000;

/**
 * Talks to a manager of this machine or another one. Nothing is sent before the first call.
 *
 * @throws TrialError USAGE when the address is none.
 */
export function connectManager({ url, timers, timeoutMs = TIMEOUT_MS }: ManagerAddress): Manager {
  const base = baseOf(url);
  const request = async (path: string, method: 'GET' | 'DELETE' = 'GET'): Promise<Reply> => {
    const target = `${base}/api/v1/nni${path}`;
    const limit = timers.timeout(timeoutMs);
    try {
      const response = await fetch(target, { method, signal: limit });
      const body = await response.text();
      if (response.ok) return { target, body };
      throw new Error(`status ${response.status}: ${body}`);
    } catch (error) {
      const cause = error instanceof Error && error.cause ? error.cause : error;
      const found = limit.aborted ? `none in ${timeoutMs} ms` : networkMessage(cause);
      throw unavailable({ where: `${method} ${target}`, url: base, found }, error);
    }
  };
  const get = async <T>(path: string, parse: Validator<T>): Promise<T> => {
    const { target, body } = await request(path);
    return parse(parseJson(body, { where: `GET ${target}`, url: base }), `GET ${target}`);
  };
  return {
    url: base,
    status: () => get('/check-status', parseStatus),
    experiment: () => get('/experiment', parseProfile),
    trials: async () =>
      (await get('/trial-jobs', parseTrialJobs))
        .map((info) => trialOf(info, base))
        .sort((a, b) => a.sequence - b.sequence),
    metrics: async () =>
      (await get('/metric-data', parseMetrics))
        .map((data) => metricOf(data, base))
        .sort(byTrialAndTime),
    trialFile: async (trialId, name) => {
      const path = `/trial-file/${encodeURIComponent(trialId)}/${encodeURIComponent(name)}`;
      const { body, target } = await request(path);
      const where = `GET ${target}`;
      if (body.startsWith(INTERNAL_ERROR)) throw unavailable({ where, url: base, found: body });
      return body === `${name} is empty.` ? '' : body;
    },
    cancelTrial: async (trialId) => {
      await request(`/trial-jobs/${encodeURIComponent(trialId)}`, 'DELETE');
    },
  };
}

interface Reply {
  readonly target: string;
  readonly body: string;
}

/** What NNI answers, with status 200, in place of a file that it cannot get. */
const INTERNAL_ERROR = 'NNI internal error. Please check log file.';

function baseOf(url: string): string {
  const base = url.replace(/\/+$/, '');
  if (/^https?:\/\//.test(base) && URL.canParse(base)) return base;
  throw new TrialError('USAGE', {
    where: "address of NNI's manager",
    wanted: 'http://host:port, and /prefix behind it where the experiment has one',
    found: url === '' ? 'nothing' : url,
    next: "Take the address of the experiment's web UI.",
  });
}

const { definitions } = restSchema;

function answer<T>(schema: object, noun: string): Validator<T> {
  const next =
    "The address must be that of the web UI of NNI 3.0: compare it with nnictl's output.";
  return createValidator<T>({ schema, code: 'NNI_UNAVAILABLE', noun, next });
}

const parseStatus = answer<ExperimentStatus>(definitions.ExperimentStatus, 'a status');
const parseProfile = answer<ExperimentProfile>(definitions.ExperimentProfile, 'an experiment');
const parseTrialJobs = answer<TrialJobInfo[]>(
  { type: 'array', items: definitions.TrialJobInfo },
  'a list of trials',
);
const parseMetrics = answer<MetricData[]>(
  { type: 'array', items: definitions.MetricData },
  'a list of reports',
);

/** Where an answer came from. */
interface Source {
  readonly where: string;
  readonly url: string;
}

function unavailable(
  { where, url, found }: Source & { found: string },
  cause?: unknown,
): TrialError {
  return new TrialError(
    'NNI_UNAVAILABLE',
    {
      where,
      wanted: 'an answer of the NNI manager',
      found,
      next: `See whether the experiment still runs (nnictl experiment list) and its web UI opens at ${url}.`,
    },
    cause,
  );
}

/** The message of an error is empty when both addresses of a host were tried. */
function networkMessage(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return messageOf(error) || code;
}

const QUOTED_CHARACTERS = 200;

function parseJson(text: string, source: Source): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw unavailable({ ...source, found: `no JSON: ${text.slice(0, QUOTED_CHARACTERS)}` }, error);
  }
}

function trialOf(info: TrialJobInfo, url: string): TrialJob {
  const { trialJobId: id, sequenceId, status, hyperParameters, logPath, startTime, endTime } = info;
  const record = parseJson(hyperParameters?.[0] ?? '{}', { where: `trial ${id}`, url });
  const { parameters } = Object(record) as { readonly parameters?: object };
  return {
    id,
    sequence: sequenceId ?? Number.MAX_SAFE_INTEGER,
    status,
    parameters: { ...parameters },
    folder: logPath ?? '',
    started: startTime === undefined ? null : new Date(startTime),
    ended: endTime === undefined ? null : new Date(endTime),
  };
}

/** NNI keeps a report as JSON text inside a JSON string. */
function metricOf({ trialJobId, type, sequence, data }: MetricData, url: string): Metric {
  const source = { where: `report of trial ${trialJobId}`, url };
  const value = parseJson(String(parseJson(data, source)), source);
  const values = typeof value === 'object' ? { ...value } : { default: value };
  const numbers = Object.entries(values).filter(
    (entry): entry is [string, number] => typeof entry[1] === 'number',
  );
  return { trialId: trialJobId, type, sequence, values: Object.fromEntries(numbers) };
}

/** The manager lists reports in the order in which its database took them, which is any order. */
function byTrialAndTime(a: Metric, b: Metric): number {
  return (
    a.trialId.localeCompare(b.trialId) ||
    Number(a.type === 'FINAL') - Number(b.type === 'FINAL') ||
    a.sequence - b.sequence
  );
}

import { messageOf, TrialError } from '../foundation/errors.ts';

/** State of an experiment, as `/check-status` says it. */
export interface ExperimentStatus {
  /** `RUNNING`, `NO_MORE_TRIAL`, `DONE`, `ERROR`, … */
  readonly status: string;
  readonly errors: readonly string[];
}

/** One trial, as `/trial-jobs` lists it. */
export interface TrialJob {
  readonly id: string;
  /** Position in the order of submission, from 0. */
  readonly sequence: number;
  /** `WAITING`, `RUNNING`, `SUCCEEDED`, `FAILED`, `USER_CANCELED`, … */
  readonly status: string;
  /** What the tuner drew for this trial. */
  readonly parameters: Readonly<Record<string, unknown>>;
  /** The trial's output folder; empty before it was launched. */
  readonly folder: string;
}

/** One report of a trial, decoded. */
export interface Metric {
  readonly trialId: string;
  readonly type: 'PERIODICAL' | 'FINAL';
  readonly sequence: number;
  readonly values: Readonly<Record<string, number>>;
}

/** The REST API of a running NNI 3.0 manager, as far as it is needed here. */
export interface Manager {
  readonly url: string;
  status(): Promise<ExperimentStatus>;
  /** Identifier of the experiment that the manager runs. */
  experimentId(): Promise<string>;
  /** All trials in the order of their submission. */
  trials(): Promise<readonly TrialJob[]>;
  /** All reports of all trials: by trial, then the intermediate ones in sequence, then FINAL. */
  metrics(): Promise<readonly Metric[]>;
  /** A file in the trial's output folder. */
  trialFile(trialId: string, name: string): Promise<string>;
  cancelTrial(trialId: string): Promise<void>;
}

interface TrialJobInfo {
  readonly trialJobId: string;
  readonly sequenceId: number;
  readonly status: string;
  readonly hyperParameters?: readonly string[];
  readonly logPath?: string;
}

interface MetricData {
  readonly trialJobId: string;
  readonly type: 'PERIODICAL' | 'FINAL';
  readonly sequence: number;
  readonly data: string;
}

/** Talks to the manager on a port of this machine; every call throws NNI_UNAVAILABLE when it fails. */
export function connectManager(port: number): Manager {
  const url = `http://127.0.0.1:${port}`;
  const request = async (path: string, method = 'GET'): Promise<string> => {
    const target = `${url}/api/v1/nni${path}`;
    try {
      const response = await fetch(target, { method });
      const body = await response.text();
      if (response.ok) return body;
      throw new Error(`status ${response.status}: ${body}`);
    } catch (error) {
      throw unanswered(`${method} ${target}`, error);
    }
  };
  const get = async <T>(path: string): Promise<T> => JSON.parse(await request(path)) as T;
  return {
    url,
    status: () => get<ExperimentStatus>('/check-status'),
    experimentId: async () => (await get<{ id: string }>('/experiment')).id,
    trials: async () =>
      (await get<TrialJobInfo[]>('/trial-jobs'))
        .map(trialOf)
        .sort((a, b) => a.sequence - b.sequence),
    metrics: async () =>
      (await get<MetricData[]>('/metric-data')).map(metricOf).sort(byTrialAndTime),
    trialFile: (trialId, name) => request(`/trial-file/${trialId}/${name}`),
    cancelTrial: async (trialId) => {
      await request(`/trial-jobs/${trialId}`, 'DELETE');
    },
  };
}

function unanswered(where: string, error: unknown): TrialError {
  const cause = error instanceof Error && error.cause ? error.cause : error;
  return new TrialError(
    'NNI_UNAVAILABLE',
    {
      where,
      wanted: 'an answer of the NNI manager',
      found: messageOf(cause),
      next: 'See whether the experiment still runs: .python/bin/nnictl experiment list.',
    },
    error,
  );
}

function trialOf(info: TrialJobInfo): TrialJob {
  const record = JSON.parse(info.hyperParameters?.[0] ?? '{}') as { parameters?: object };
  return {
    id: info.trialJobId,
    sequence: info.sequenceId,
    status: info.status,
    parameters: { ...record.parameters },
    folder: info.logPath ?? '',
  };
}

/** NNI keeps a report as JSON text inside a JSON string. */
function metricOf({ trialJobId, type, sequence, data }: MetricData): Metric {
  const text = JSON.parse(data) as string;
  const values = JSON.parse(text) as Record<string, number>;
  return { trialId: trialJobId, type, sequence, values };
}

/** The manager lists reports in the order in which its database took them, which is any order. */
function byTrialAndTime(a: Metric, b: Metric): number {
  return (
    a.trialId.localeCompare(b.trialId) ||
    Number(a.type === 'FINAL') - Number(b.type === 'FINAL') ||
    a.sequence - b.sequence
  );
}

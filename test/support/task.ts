/** Runs tasks in this process, for what the program around them does not matter to. */
import { STANDALONE } from '../../src/foundation/trial-identity.ts';
import { runTask, type TaskResult } from '../../src/tasks/run.ts';
import type { TaskHost, TaskRequest } from '../../src/tasks/task.ts';
import type { TaskEvent } from '../../src/training/events.ts';
import { recordingLogger } from './nni.ts';

/** What came of a task, and what it told. */
export interface Ran {
  readonly result: TaskResult;
  readonly events: readonly TaskEvent[];
  readonly lines: readonly string[];
}

/** What differs from a plain `search` of a config. */
export type RequestChanges = Partial<Omit<TaskRequest, 'configFile' | 'output'>> & {
  /** Told of every event; a task whose signal it fires ends before its next piece of work. */
  readonly onEvent?: (event: TaskEvent, end: () => void) => void;
  /** The same for every line of the log. */
  readonly onLine?: (line: string, end: () => void) => void;
};

/** What a task runs in, and what it told so far. */
export interface RecordingHost extends Pick<Ran, 'events' | 'lines'> {
  readonly host: TaskHost;
}

/** A host without NNI that writes down what it is told. */
export function recordingHost({
  onEvent = () => undefined,
  onLine = () => undefined,
}: Pick<RequestChanges, 'onEvent' | 'onLine'> = {}): RecordingHost {
  const events: TaskEvent[] = [];
  const recorder = recordingLogger();
  const controller = new AbortController();
  const end = (): void => {
    controller.abort();
  };
  const host: TaskHost = {
    identity: { trialJobId: STANDALONE, experimentId: STANDALONE },
    connect: () =>
      Promise.resolve({
        emit: (event) => {
          events.push(event);
          onEvent(event, end);
        },
        settle: () => Promise.resolve(),
        close: () => Promise.resolve(),
      }),
    logger: {
      log: (level, message) => {
        recorder.log(level, message);
        onLine(message, end);
      },
    },
    clock: () => performance.now(),
    now: () => new Date(),
    variables: process.env,
    memory: { resident: () => 0, peak: () => 0, allowed: () => Infinity },
    shutdown: { signal: controller.signal, leaveSignals: () => undefined },
  };
  return { host, events, lines: recorder.lines };
}

/** A plain request for the task that a config names, in a folder. */
export function requestOf(configFile: string, output: string): TaskRequest {
  return { configFile, parameters: {}, overrides: {}, output, present: 'refuse-result' };
}

/** Runs the task that a config names, in a folder. */
export async function runRequest(
  configFile: string,
  output: string,
  { onEvent, onLine, ...changes }: RequestChanges = {},
): Promise<Ran> {
  const told = { ...(onEvent && { onEvent }), ...(onLine && { onLine }) };
  const { host, events, lines } = recordingHost(told);
  const request = { ...requestOf(configFile, output), ...changes };
  return { result: await runTask(request, host), events, lines };
}

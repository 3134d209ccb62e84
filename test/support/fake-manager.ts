/** Stands in for NNI 3.0's manager on loopback: its record queue, its long poll, and faults. */
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Metric } from '../../src/generated/nni-message.ts';

/** What happens to one request instead of its regular answer. */
export type Fault =
  | { readonly status: number; readonly type?: string; readonly body?: string }
  /** The connection breaks after the request was read and, for a PUT, acted upon. */
  | 'reset'
  /** It breaks before the manager has acted. */
  | 'break'
  /** The manager acts, then closes its end without an answer. */
  | 'half-close'
  /** The manager acts, and answers after 200 ms. */
  | 'slow'
  /** No answer at all. */
  | 'hang';

/** The kinds of requests that faults can be given for. */
export type Endpoint = 'PUT' | 'GET' | 'trial-jobs' | 'metric-data';

/** One request as it arrived. */
export interface SeenRequest {
  readonly method: string;
  readonly path: string;
  readonly contentType: string | undefined;
  readonly body: string;
}

export const HTML = { status: 200, type: 'text/html', body: '<!doctype html><title>NNI</title>' };

interface Queues {
  readonly outgoing: Map<string, string[]>;
  readonly faults: Record<Endpoint, Fault[]>;
}

/** A running fake; all its state is open to the test. */
export class FakeManager {
  /** Record texts, handed to whoever asks first, as NNI 3.0 does. */
  readonly records: string[] = [];
  /** Bodies of `/api/v1/nni/trial-jobs/<id>` in turn; the last one stays. */
  readonly trialJobs = new Map<string, string[]>();
  readonly seen: SeenRequest[] = [];
  readonly connectionHeaders: (string | undefined)[] = [];
  /** Metric texts in the order of their arrival. */
  readonly metrics: string[] = [];
  /** Whether metrics are answered with 200 and dropped, as those of a trial that has ended. */
  isDropping = false;
  /** Milliseconds from an answer until the database has the metric. */
  storeMs = 0;
  /** Whether there is a database to be asked; where not, the web UI's page answers. */
  hasDatabase = true;
  readonly #stored: string[] = [];
  readonly #queues: Queues = {
    outgoing: new Map(),
    faults: { PUT: [], GET: [], 'trial-jobs': [], 'metric-data': [] },
  };
  readonly #server = createServer((request, response) => void this.#answer(request, response));
  readonly #prefix: string;

  private constructor(prefix: string) {
    this.#prefix = prefix;
  }

  static async start(prefix = '', port = 0): Promise<FakeManager> {
    const manager = new FakeManager(prefix);
    manager.#server.listen(port, '127.0.0.1');
    await once(manager.#server, 'listening');
    return manager;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  urlOf(trialId: string): string {
    return `http://127.0.0.1:${this.port}${this.#prefix}/env/local-env/${trialId}`;
  }

  /** The next requests to this endpoint meet these faults, in turn. */
  fail(endpoint: Endpoint, ...faults: Fault[]): void {
    this.#queues.faults[endpoint].push(...faults);
  }

  countOf(method: string): number {
    return this.seen.filter((request) => request.method === method).length;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks).toString('utf8');
    const method = request.method!;
    const path = request.url!;
    this.seen.push({ method, path, contentType: request.headers['content-type'], body });
    this.connectionHeaders.push(request.headers.connection);
    const id = path.slice(path.lastIndexOf('/') + 1);
    const endpoint = endpointOf(method, path);
    const fault = this.#queues.faults[endpoint].shift();
    if (endpoint === 'PUT' && (fault === undefined || ACTED.has(fault))) this.#accept(id, body);
    if (typeof fault === 'string') misbehave(fault, response);
    else reply(response, fault ?? this.#regularAnswer(endpoint, id));
  }

  #accept(trialId: string, body: string): void {
    const command = JSON.parse(body) as { type: string; metric: string };
    if (command.type === 'metric') {
      if (this.isDropping) return;
      this.metrics.push(command.metric);
      setTimeout(() => this.#stored.push(command.metric), this.storeMs);
      return;
    }
    const parameter = this.records.shift();
    if (parameter === undefined) return;
    const outgoing = this.#queues.outgoing.get(trialId) ?? [];
    this.#queues.outgoing.set(trialId, outgoing);
    outgoing.push(JSON.stringify({ type: 'parameter', parameter }));
  }

  #regularAnswer(kind: Endpoint, id: string): Exclude<Fault, string> {
    if (kind === 'PUT') return { status: 200 };
    if (kind === 'GET') {
      const body = this.#queues.outgoing.get(id)?.shift();
      return body === undefined
        ? { status: 408, type: 'text/plain', body: 'Request Timeout' }
        : { status: 200, body };
    }
    if (kind === 'metric-data') return this.hasDatabase ? this.#rowsOf(id) : HTML;
    const jobs = this.trialJobs.get(id) ?? [''];
    return { status: 200, body: (jobs.length > 1 ? jobs.shift() : jobs[0])! };
  }

  #rowsOf(trialId: string): Exclude<Fault, string> {
    const rows = this.#stored
      .map((text) => JSON.parse(text) as Metric)
      .filter(({ trial_job_id: id }) => id === trialId)
      .map(({ parameter_id: id, trial_job_id: trialJobId, type, sequence, value }) => ({
        timestamp: 0,
        trialJobId,
        parameterId: id === null ? null : String(id),
        type,
        sequence,
        data: JSON.stringify(value),
      }));
    return { status: 200, body: JSON.stringify(rows) };
  }
}

/** Faults that come after the manager has acted. */
const ACTED: ReadonlySet<Fault> = new Set<Fault>(['reset', 'half-close', 'slow']);

function endpointOf(method: string, path: string): Endpoint {
  if (path.includes('/metric-data/')) return 'metric-data';
  return path.includes('/trial-jobs/') ? 'trial-jobs' : (method as 'GET' | 'PUT');
}

function misbehave(fault: Extract<Fault, string>, response: ServerResponse): void {
  const { socket } = response;
  if (fault === 'reset' || fault === 'break') socket?.resetAndDestroy();
  if (fault === 'half-close') socket?.end();
  if (fault === 'slow') setTimeout(() => void response.end(), 200);
}

function reply(response: ServerResponse, fault: Exclude<Fault, string>): void {
  const { status, type = 'application/json; charset=utf-8', body = '' } = fault;
  response.writeHead(status, body === '' ? {} : { 'Content-Type': type }).end(body);
}

/** Body of a trial's entry in NNI's REST API. */
export function trialJob(record: string): string {
  return JSON.stringify({ trialJobId: 'x', status: 'RUNNING', hyperParameters: [record] });
}

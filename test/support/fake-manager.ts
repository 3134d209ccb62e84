/** Stands in for NNI 3.0's manager on loopback: its record queue, its long poll, and faults. */
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What happens to one request instead of its regular answer. */
export type Fault =
  | { readonly status: number; readonly type?: string; readonly body?: string }
  /** The connection breaks after the request was read and, for a PUT, acted upon. */
  | 'reset'
  /** No answer at all. */
  | 'hang';

/** The three kinds of requests that faults can be given for. */
export type Endpoint = 'PUT' | 'GET' | 'trial-jobs';

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
  private readonly queues: Queues = {
    outgoing: new Map(),
    faults: { PUT: [], GET: [], 'trial-jobs': [] },
  };
  private readonly server = createServer(
    (request, response) => void this.answer(request, response),
  );
  private readonly prefix: string;

  private constructor(prefix: string) {
    this.prefix = prefix;
  }

  static async start(prefix = '', port = 0): Promise<FakeManager> {
    const manager = new FakeManager(prefix);
    manager.server.listen(port, '127.0.0.1');
    await once(manager.server, 'listening');
    return manager;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  urlOf(trialId: string): string {
    return `http://127.0.0.1:${this.port}${this.prefix}/env/local-env/${trialId}`;
  }

  /** The next requests to this endpoint meet these faults, in turn. */
  fail(endpoint: Endpoint, ...faults: Fault[]): void {
    this.queues.faults[endpoint].push(...faults);
  }

  countOf(method: string): number {
    return this.seen.filter((request) => request.method === method).length;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, 'close');
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks).toString('utf8');
    const method = request.method!;
    const path = request.url!;
    this.seen.push({ method, path, contentType: request.headers['content-type'], body });
    this.connectionHeaders.push(request.headers.connection);
    const id = path.slice(path.lastIndexOf('/') + 1);
    const endpoint = path.includes('/trial-jobs/') ? 'trial-jobs' : (method as 'GET' | 'PUT');
    const fault = this.queues.faults[endpoint].shift();
    if (endpoint === 'PUT' && (fault === undefined || fault === 'reset')) this.accept(id, body);
    if (fault === 'hang') return;
    if (fault === 'reset') request.socket.resetAndDestroy();
    else reply(response, fault ?? this.regularAnswer(endpoint, id));
  }

  private accept(trialId: string, body: string): void {
    const command = JSON.parse(body) as { type: string; metric: string };
    if (command.type === 'metric') {
      this.metrics.push(command.metric);
      return;
    }
    const parameter = this.records.shift();
    if (parameter === undefined) return;
    const outgoing = this.queues.outgoing.get(trialId) ?? [];
    this.queues.outgoing.set(trialId, outgoing);
    outgoing.push(JSON.stringify({ type: 'parameter', parameter }));
  }

  private regularAnswer(kind: Endpoint, id: string): Exclude<Fault, string> {
    if (kind === 'PUT') return { status: 200 };
    if (kind === 'GET') {
      const body = this.queues.outgoing.get(id)?.shift();
      return body === undefined
        ? { status: 408, type: 'text/plain', body: 'Request Timeout' }
        : { status: 200, body };
    }
    const jobs = this.trialJobs.get(id) ?? [''];
    return { status: 200, body: (jobs.length > 1 ? jobs.shift() : jobs[0])! };
  }
}

function reply(response: ServerResponse, fault: Exclude<Fault, string>): void {
  const { status, type = 'application/json; charset=utf-8', body = '' } = fault;
  response.writeHead(status, body === '' ? {} : { 'Content-Type': type }).end(body);
}

/** Body of a trial's entry in NNI's REST API. */
export function trialJob(record: string): string {
  return JSON.stringify({ trialJobId: 'x', status: 'RUNNING', hyperParameters: [record] });
}

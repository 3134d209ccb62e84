import { request } from 'node:http';

/** One HTTP request to the manager. */
export interface HttpRequest {
  readonly method: 'GET' | 'PUT';
  readonly url: string;
  /** JSON text. */
  readonly body?: string;
  readonly signal: AbortSignal;
}

/** NNI sends all metrics of a trial at once: room for some 100,000 of them. */
const MAX_REPLY_MIB = 64;

/** An answer with a status below 500. */
export interface HttpReply {
  readonly status: number;
  /** Whether the content type is JSON: a wrong path returns the web UI's page. */
  readonly isJson: boolean;
  readonly body: string;
}

/**
 * Sends one request over its own connection. Without a pool, no request is lost or doubled because
 * the server closes an idle connection. Uses no proxy.
 *
 * @throws Error of node's network layer, AbortError, or Error on status 500 and above and on an
 * answer of more than 64 MiB.
 */
export async function exchange({ method, url, body, signal }: HttpRequest): Promise<HttpReply> {
  const headers =
    body === undefined
      ? {}
      : { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) };
  return new Promise((resolve, reject) => {
    const sent = request(url, { method, headers, signal, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      let length = 0;
      response.on('data', (chunk: Buffer) => {
        chunks.push(chunk);
        length += chunk.length;
        if (length <= MAX_REPLY_MIB * 2 ** 20) return;
        response.destroy(new Error(`an answer of more than ${MAX_REPLY_MIB} MiB`));
      });
      response.on('error', reject);
      response.on('end', () => {
        const status = response.statusCode ?? 0;
        const text = Buffer.concat(chunks).toString('utf8');
        const isJson = response.headers['content-type']?.startsWith('application/json') ?? false;
        if (status >= 500) reject(new ServerFault(`status ${status} ${text}`));
        else resolve({ status, isJson, body: text });
      });
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

/** The server failed to serve a request. */
class ServerFault extends Error {}

/** Errors of a request that was not served: no connection, or a refusal. */
export function isUndelivered(error: unknown): boolean {
  return error instanceof ServerFault || isUnconnected(error);
}

/** Errors of a failed connection: the manager has not seen the request. */
export function isUnconnected(error: unknown): boolean {
  // One error for each address of the host.
  if (error instanceof AggregateError) return true;
  const call = error instanceof Error && 'syscall' in error ? error.syscall : undefined;
  return call === 'connect' || call === 'getaddrinfo';
}

import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import path from 'node:path';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { replaceFile, unlessUnwritable } from '../../foundation/atomic-file.ts';
import { messageOf, TrialError } from '../../foundation/errors.ts';
import { exists, makeFolder } from '../../foundation/files.ts';

/** One file on its official site. */
export interface RemoteFile {
  readonly url: string;
  /** Published MD5, hexadecimal. */
  readonly md5: string;
}

async function md5Of(file: string): Promise<string> {
  const hash = createHash('md5');
  await pipeline(createReadStream(file), hash);
  return hash.digest('hex');
}

function failed({ url }: RemoteFile, wanted: string, cause: unknown): TrialError {
  const reason = cause instanceof Error && cause.cause !== undefined ? cause.cause : cause;
  const complaint = {
    where: url,
    wanted,
    found: `${messageOf(cause)}${reason === cause ? '' : ` (${messageOf(reason)})`}`,
    next: 'Check the network and try again, or name a folder with your own images.',
  };
  return new TrialError('DOWNLOAD_FAILED', complaint, cause);
}

/** Streams the answer into a file and returns its MD5. */
async function receive(response: Response, file: string): Promise<string> {
  const hash = createHash('md5');
  const tap = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      done(null, chunk);
    },
  });
  const body = response.body ?? new ReadableStream<Uint8Array>();
  await pipeline(Readable.fromWeb(body), tap, createWriteStream(file));
  return hash.digest('hex');
}

async function request(remote: RemoteFile, fetch: typeof globalThis.fetch): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(remote.url);
  } catch (cause) {
    throw failed(remote, 'an answer', cause);
  }
  if (!response.ok) {
    await response.body?.cancel();
    throw failed(remote, 'the file', `HTTP status ${response.status}`);
  }
  return response;
}

/**
 * Fetches a file once: keeps a file with the right checksum, replaces any other. Nothing appears under
 * the final name before its checksum matches.
 *
 * @throws TrialError `DOWNLOAD_FAILED` when the site cannot be reached, refuses, or sends other bytes;
 * `FILE_UNWRITABLE` when the folder cannot be made.
 */
export async function downloadOnce(
  remote: RemoteFile,
  file: string,
  fetch: typeof globalThis.fetch,
): Promise<void> {
  if ((await exists(file)) && (await md5Of(file)) === remote.md5) {
    return;
  }
  await unlessUnwritable(path.dirname(file), () => makeFolder(path.dirname(file)));
  const response = await request(remote, fetch);
  try {
    await replaceFile(file, async (partial) => {
      const md5 = await receive(response, partial);
      if (md5 !== remote.md5) {
        throw failed(remote, `MD5 ${remote.md5}`, `MD5 ${md5}`);
      }
    });
  } catch (cause) {
    throw cause instanceof TrialError ? cause : failed(remote, 'the whole file', cause);
  }
}

import type { Logger } from '../../foundation/logger.ts';
import type { Timers } from '../../foundation/timers.ts';
import type { Environment } from '../environment.ts';
import type { TrialChannel } from './channel.ts';
import { FileChannel } from './file.ts';
import { HttpChannel } from './http.ts';
import { metricDataUrl, trialJobUrl } from './own-record.ts';
import { StandaloneChannel } from './standalone.ts';
import type { LineWriter } from './stdout.ts';
import { StdoutChannel } from './stdout.ts';

/** What a channel needs besides its connection. */
export interface ChannelSurroundings {
  readonly logger: Logger;
  readonly stdout: LineWriter;
  readonly timers: Timers;
}

/** The channel for this environment, not yet connected. */
export async function selectChannel(
  { channel, platform, trialJobId }: Environment,
  { logger, stdout, timers }: ChannelSurroundings,
): Promise<TrialChannel> {
  switch (channel.kind) {
    case 'http': {
      const { url } = channel;
      // Only there does the manager itself serve the channel.
      const isLocal = platform === 'local';
      return new HttpChannel({
        url,
        trialJobUrl: isLocal ? trialJobUrl(url, trialJobId) : null,
        metricDataUrl: isLocal ? metricDataUrl(url, trialJobId) : null,
        logger,
        timers,
      });
    }
    case 'websocket': {
      // Loading the library would delay the first request of every other trial by about 0.1 s.
      const { WebSocketChannel } = await import('./websocket.ts');
      return new WebSocketChannel({ url: channel.url, logger, timers });
    }
    case 'file':
      return new FileChannel({ ...channel, timers });
    case 'stdout':
      return new StdoutChannel({ ...channel, timers }, stdout);
    case 'standalone':
      return new StandaloneChannel(logger);
  }
}

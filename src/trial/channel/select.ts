import type { Logger } from '../../foundation/logger.ts';
import type { Environment } from '../environment.ts';
import type { TrialChannel } from './channel.ts';
import { FileChannel } from './file.ts';
import { HttpChannel } from './http.ts';
import { metricDataUrl, trialJobUrl } from './own-record.ts';
import { StandaloneChannel } from './standalone.ts';
import type { LineWriter } from './stdout.ts';
import { StdoutChannel } from './stdout.ts';

/** Where a channel may write besides its connection. */
export interface ChannelOutputs {
  readonly logger: Logger;
  readonly stdout: LineWriter;
}

/** The channel that this environment asks for, not yet connected. */
export async function selectChannel(
  { channel, platform, trialJobId }: Environment,
  { logger, stdout }: ChannelOutputs,
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
      });
    }
    case 'websocket': {
      // Loading the library would delay the first request of every other trial by about 0.1 s.
      const { WebSocketChannel } = await import('./websocket.ts');
      return new WebSocketChannel({ url: channel.url, logger });
    }
    case 'file':
      return new FileChannel(channel);
    case 'stdout':
      return new StdoutChannel(channel, stdout);
    case 'standalone':
      return new StandaloneChannel(logger);
  }
}

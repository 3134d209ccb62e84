/**
 * NNI's own WebSocket channel server, out of the pip package, driven over IPC. Needs NODE_PATH to
 * name nni_node and its node_modules, and NNI manager's arguments.
 */
import { createRequire } from 'node:module';

/** What the test tells the server. */
export type Order =
  | { readonly order: 'send'; readonly command: object }
  /** Breaks the connection without a word. */
  | { readonly order: 'drop' }
  /** Closes the channel on purpose. */
  | { readonly order: 'shutdown' };

/** What the server tells the test. */
export type Report =
  | { readonly event: 'listening'; readonly url: string }
  | { readonly event: 'received'; readonly command: { readonly type: string; metric?: string } }
  | { readonly event: 'closed'; readonly reason: string };

interface NniChannel {
  readonly connection: { readonly ws: { terminate: () => void } } | null;
  onClose(callback: (reason: string) => void): void;
}
interface NniServer {
  start(): Promise<void>;
  shutdown(): Promise<void>;
  getChannelUrl(id: string): string;
  send(id: string, command: object): void;
  onReceive(callback: (id: string, command: never) => void): void;
  onConnection(callback: (id: string, channel: NniChannel) => void): void;
}
interface NniModules {
  'common/globals': { initGlobals(): void; globals: { shutdown: unknown } };
  'rest_server/core': { RestServerCore: new () => { start(): Promise<void> } };
  'common/command_channel/websocket': {
    WsChannelServer: new (name: string, path: string) => NniServer;
  };
}

const requireNni = createRequire(import.meta.url) as <Name extends keyof NniModules>(
  name: Name,
) => NniModules[Name];
const CHANNEL_ID = 'RNssq';
const report = (message: Report): void => void process.send!(message);

requireNni('common/globals').initGlobals();
const { WsChannelServer } = requireNni('common/command_channel/websocket');
const server = new WsChannelServer('trial', 'env/local-env');
let channel: NniChannel | undefined;
server.onReceive((_, command) => {
  report({ event: 'received', command });
});
server.onConnection((_, opened) => {
  channel = opened;
  opened.onClose((reason) => {
    report({ event: 'closed', reason });
  });
});

process.on('message', (order: Order) => {
  if (order.order === 'send') server.send(CHANNEL_ID, order.command);
  else if (order.order === 'drop') channel!.connection!.ws.terminate();
  else void server.shutdown();
});

const { RestServerCore } = requireNni('rest_server/core');
await server.start();
await new RestServerCore().start();
report({ event: 'listening', url: server.getChannelUrl(CHANNEL_ID) });

/**
 * NNI's own WebSocket channel server, out of the pip package, driven over IPC; for NNI's own node.
 * Needs NODE_PATH to name nni_node and its node_modules, and the arguments of NNI's manager.
 * Orders and reports: test/trial/websocket-nni.test.ts.
 */
import { createRequire } from 'node:module';

const requireNni = createRequire(import.meta.url);
requireNni('common/globals').initGlobals();
const { WsChannelServer } = requireNni('common/command_channel/websocket');
const { RestServerCore } = requireNni('rest_server/core');

const CHANNEL_ID = 'RNssq';
/** @param {object} message */
const report = (message) => process.send?.(message);
const server = new WsChannelServer('trial', 'env/local-env');
/** @type {any} NNI's modules have no types */
let channel;

server.onReceive((/** @type {string} */ _, /** @type {object} */ command) =>
  report({ event: 'received', command }),
);
server.onConnection((/** @type {string} */ _, /** @type {any} */ opened) => {
  channel = opened;
  channel.onClose((/** @type {string} */ reason) => report({ event: 'closed', reason }));
});

process.on('message', (/** @type {{ order: string, command: object }} */ { order, command }) => {
  if (order === 'send') server.send(CHANNEL_ID, command);
  else if (order === 'drop') channel.connection.ws.terminate();
  else server.shutdown();
});

server
  .start()
  .then(() => new RestServerCore().start())
  .then(() => report({ event: 'listening', url: server.getChannelUrl(CHANNEL_ID) }));

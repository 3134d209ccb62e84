/** Computes one operation for much longer than a signal may wait, with the handlers of a search. */
import { loadTensorFlow } from '../../src/engine/load.ts';
import { systemTimers } from '../../src/cli/system.ts';
import { SIGNAL_TIMES } from '../../src/foundation/signals.ts';
import { installSignalHandlers } from '../../src/trial/process/shutdown.ts';

const logger = { log: () => undefined };
installSignalHandlers(process, { logger, timers: systemTimers, hasTerminal: false });
const { tf } = await loadTensorFlow({
  engine: 'cpu',
  environment: process.env,
  threads: 1,
  signals: SIGNAL_TIMES,
});
const matrix = tf.ones([8000, 8000]);
console.log('computing');
tf.matMul(matrix, matrix).dataSync();
console.log('computed');

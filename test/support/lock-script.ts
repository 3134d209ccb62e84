/**
 * A process that tries for the locks of many folders, each at an agreed time, and keeps what it
 * gets: `node --import tsx lock-script.ts FOLDER ROUNDS INTERVAL` (milliseconds). It says that it is
 * ready, reads when to start, prints the rounds that it won, and lives until its input ends.
 */
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { TrialError } from '../../src/foundation/errors.ts';
import { acquireLock } from '../../src/run-folder/lock.ts';

const [folder, rounds, interval] = process.argv.slice(2);
console.log('ready');
const [start] = (await once(process.stdin.setEncoding('utf8'), 'data')) as [string];
const won: number[] = [];
for (let round = 0; round < Number(rounds); round++) {
  await sleep(Math.max(0, Number(start) + round * Number(interval) - Date.now()));
  try {
    await acquireLock(join(folder!, String(round)), { command: 'lock-script', time: new Date() });
    won.push(round);
  } catch (error) {
    if (!(error instanceof TrialError && error.code === 'FOLDER_IN_USE')) throw error;
  }
}
console.log(JSON.stringify(won));
process.stdin.resume();

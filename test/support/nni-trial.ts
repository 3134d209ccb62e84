/** A trial that trains nothing: it reports the parameter that it was given. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { systemTimers as timers } from '../../src/cli/system.ts';
import { History } from '../../src/run-folder/history.ts';
import { selectChannel } from '../../src/trial/channel/select.ts';
import { readEnvironment } from '../../src/trial/environment.ts';
import { openOutbox } from '../../src/trial/outbox.ts';
import { createReporter } from '../../src/trial/reporter.ts';
import { createTrialLog } from '../../src/trial/trial-log.ts';

const environment = readEnvironment(process.env);
const { trialJobId, outputDirectory: directory } = environment;
const now = (): Date => new Date();
const logger = createTrialLog({ directory, mirror: process.stderr, now });
const channel = await selectChannel(environment, { logger, stdout: process.stdout, timers });
const { parameterId, parameters } = await channel.receiveParameters();
const metrics = {
  default: parameters['x'] as number,
  loss: 1,
  kdLoss: 0,
  rho: 0,
  boardMean: 0,
  bestMacs: 1,
  lr: 1,
  imagesPerSecond: 1,
  skippedSteps: 0,
  skippedImages: 0,
};
const source = { parameterId, trialJobId };
const history = await History.open(directory!);
const outbox = await openOutbox({ ...source, history, channel, logger, timers, now });
const reporter = createReporter({ outbox, history, source, now });
for (let epoch = 0; epoch < 3; epoch++) await reporter.intermediate(metrics, epoch);
await reporter.final(metrics);
if ((await outbox.flush(10_000)) > 0) throw new Error('not delivered');
// NNI's database has them a while after its answer.
const limit = performance.now() + 30_000;
let received: string[] = [];
while (received.length < 4 && performance.now() < limit) {
  await sleep(100);
  received = [...((await channel.receivedMetrics([])) ?? [])].sort();
}
await outbox.close();
const used = { parameterId, parameters, received };
await writeFile(join(directory!, 'used.json'), JSON.stringify(used));

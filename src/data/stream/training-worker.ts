/** Thread that makes training batches ahead of time: a step comes in, its batch goes out. */
import { workerData, type MessagePort } from 'node:worker_threads';
import type { Batch } from './batch.ts';
import { createBatchMaker, type TrainingPlan } from './training-plan.ts';

/** Arguments of the thread. */
export interface TrainingWorkerData {
  readonly plan: TrainingPlan;
  readonly port: MessagePort;
}

/** The thread's answer to a step. */
export interface MadeBatch {
  readonly step: number;
  readonly batch: Batch;
}

const { plan, port } = workerData as TrainingWorkerData;
const makeBatch = createBatchMaker(plan);
port.on('message', (step: number) => {
  const batch = makeBatch(step);
  const made: MadeBatch = { step, batch };
  port.postMessage(made, [batch.images.buffer as ArrayBuffer, batch.labels.buffer as ArrayBuffer]);
});

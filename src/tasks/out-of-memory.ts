import { messageOf, TrialError } from '../foundation/errors.ts';

/** Out-of-memory messages of TensorFlow, Node's typed arrays and its worker threads. */
const OUT_OF_MEMORY =
  /OOM when allocating|Invalid TF_Status: 8\b|RESOURCE_EXHAUSTED|Array buffer allocation failed|Invalid typed array length: \d|JS heap out of memory/;

/** Replaces an out-of-memory error by MEMORY_EXHAUSTED; returns any other unchanged. */
export function namingMemory(thrown: unknown): unknown {
  const message = messageOf(thrown);
  if (thrown instanceof TrialError || !OUT_OF_MEMORY.test(message)) return thrown;
  return new TrialError(
    'MEMORY_EXHAUSTED',
    {
      where: 'memory of this process',
      wanted: 'room for a training step',
      found: message.replace(/\s+/g, ' '),
      next: 'Lower batchSize in the trial config or imageSize in the skeleton, or use a machine with more memory.',
    },
    thrown,
  );
}

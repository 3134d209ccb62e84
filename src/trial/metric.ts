import messageSchema from '../../schemas/nni-message.schema.json' with { type: 'json' };
import { createValidator, type Validator } from '../foundation/schema.ts';
import type { Metric } from '../generated/nni-message.ts';

/** Checks a metric that comes from a file. @throws TrialError METRIC_INVALID */
export const parseMetric: Validator<Metric> = createValidator({
  schema: messageSchema.definitions.Metric,
  code: 'METRIC_INVALID',
  noun: 'a metric',
  next: 'schemas/nni-message.schema.json describes it; the file was damaged or changed.',
});

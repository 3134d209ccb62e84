import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createProgress } from '../../src/cli/progress.ts';
import type { TaskEvent } from '../../src/training/events.ts';
import { METRICS } from '../support/metrics.ts';
import { tinyPlan } from '../support/tiny.ts';

type Epoch = Extract<TaskEvent, { kind: 'epoch' }>;

function epoch(changes: Partial<Epoch>): Epoch {
  return { kind: 'epoch', epoch: 1, metrics: METRICS, note: '', isRepeated: false, ...changes };
}

/** The log lines of events, the first of which tells of the plan. */
async function linesOf(...events: readonly TaskEvent[]): Promise<string[]> {
  const lines: string[] = [];
  const logger = { log: (level: string, text: string) => void lines.push(`${level} ${text}`) };
  const show = createProgress({ logger, terminal: null });
  for (const event of events) await show(event);
  return lines;
}

const started = { kind: 'started', plan: tinyPlan() } as TaskEvent;

describe('the log of a search', () => {
  it('tells of an epoch by its metrics, and then by what the algorithm says of it', async () => {
    const [plan, ...lines] = await linesOf(started, epoch({ note: 'best of the board: mb2_k3' }));
    assert.match(plan!, /^info 3 epochs of 20 steps of 16 images/);
    assert.equal(lines.length, 2);
    assert.match(lines[0]!, /^info epoch 2\/3: accuracy 0\.3, loss 1, /);
    assert.equal(lines[1], 'info best of the board: mb2_k3');
  });

  it('has no line for an algorithm that says nothing', async () => {
    assert.equal((await linesOf(started, epoch({}))).length, 2);
  });

  it('does not repeat an epoch that an earlier process has told of', async () => {
    const repeated = epoch({ note: 'once is enough', isRepeated: true });
    assert.equal((await linesOf(started, repeated)).length, 1);
  });
});

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { HistoryEntry } from '../../src/run-folder/history.ts';
import { fromWire, toWire } from '../../src/trial/metric.ts';
import { metricOf } from '../support/nni.ts';

const TIME = '2026-01-02T03:04:05.678Z';

const finite = fc.double({ noNaN: true, noDefaultInfinity: true });
// JavaScript puts names that are whole numbers before all others, whatever their order was.
const name = fc.string({ unit: 'binary' }).filter((text) => !/^\d+$/.test(text));
const metrics = fc
  .tuple(finite, fc.array(fc.tuple(name, finite)))
  .map(([value, others]) =>
    Object.assign({ default: 0 }, Object.fromEntries(others), { default: value }),
  );

describe('a report as a message to NNI', () => {
  it('comes back with every bit and every name, in the same order', () => {
    fc.assert(
      fc.property(metrics, fc.nat(), fc.boolean(), (numbers, number, isAnswer) => {
        const entry: HistoryEntry = {
          type: isAnswer ? 'answer' : 'epoch',
          epoch: number + 1,
          time: TIME,
          metrics: numbers,
          trialJobId: 'aBcDe',
          parameterId: isAnswer ? null : number,
        };
        const back = fromWire(toWire(entry), { time: TIME, lastEpoch: number + 1 });
        assert.deepEqual(back, entry);
        assert.deepEqual(Object.keys(back.metrics), Object.keys(entry.metrics));
        assert.equal(toWire(back).value, toWire(entry).value);
      }),
    );
  });

  it('is refused where its value is no text of finite numbers with a default', () => {
    const texts = ['{"loss": 1.0}', '{"default": "1"}', '{"default": 1e999}', '{"default": 1', ''];
    for (const value of [...texts, '0.5', 'null', '[]']) {
      assert.throws(() => fromWire(metricOf(0, { value }), { time: TIME, lastEpoch: 0 }), {
        code: 'METRIC_INVALID',
      });
    }
  });
});

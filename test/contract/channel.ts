/** What every channel must do, whatever carries it. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Metric } from '../../src/generated/nni-message.ts';
import type { ParameterRecord, TrialChannel } from '../../src/trial/channel/channel.ts';
import { metricOf, RECORD, RECORD_TEXT } from '../support/nni.ts';

/** One channel with NNI's end of it. */
export interface ChannelHarness {
  readonly channel: TrialChannel;
  /** Metrics as they arrived at the other end. */
  readonly received: () => Promise<readonly Metric[]>;
  readonly dispose: () => Promise<void>;
}

/** Opens a channel whose other end has this record text for the trial. */
export type OpenHarness = (record: string) => Promise<ChannelHarness>;

const RECORDS: readonly (readonly [string, string, ParameterRecord])[] = [
  ['with every key', RECORD_TEXT, RECORD],
  [
    'without index and source',
    '{"parameter_id":0,"parameters":{}}',
    { parameterId: 0, parameters: {} },
  ],
  [
    'with null for its id and the keys of NAS tuners',
    '{"parameter_id":null,"parameters":{"x":1},"version_info":{"numpy":[1,24]}}',
    { parameterId: null, parameters: { x: 1 } },
  ],
];

export function testChannelContract(name: string, open: OpenHarness): void {
  describe(`channel contract: ${name}`, () => {
    for (const [title, text, record] of RECORDS) {
      it(`receives a record ${title}`, async () => {
        const { channel, dispose } = await open(text);
        assert.deepEqual(await channel.receiveParameters(), record);
        await dispose();
      });
    }

    it('gives the same record to every caller', async () => {
      const { channel, dispose } = await open(RECORD_TEXT);
      const [first, second] = [channel.receiveParameters(), channel.receiveParameters()];
      assert.deepEqual(await first, RECORD);
      assert.equal(await second, await first);
      await dispose();
    });

    it('carries metrics unchanged and in order', async () => {
      const { channel, received, dispose } = await open(RECORD_TEXT);
      const metrics = [
        metricOf(0),
        metricOf(1, { value: JSON.stringify({ default: 1, s: `"#//'\\\n\u2028😀\ud800é` }) }),
        metricOf(0, { type: 'FINAL', parameter_id: null }),
      ];
      for (const metric of metrics) await channel.sendMetric(metric);
      assert.deepEqual(await received(), metrics);
      await dispose();
    });

    it('fails on a record that is none', async () => {
      for (const text of ['[]', '{"parameter_id":"0","parameters":{}}', '{"parameter_id":0}']) {
        const { channel, dispose } = await open(text);
        await assert.rejects(channel.receiveParameters(), { code: 'CHANNEL_FAILED' });
        await dispose();
      }
    });

    it('closes twice without complaint', async () => {
      const { channel, dispose } = await open(RECORD_TEXT);
      await channel.receiveParameters();
      await channel.close();
      await channel.close();
      await dispose();
    });
  });
}

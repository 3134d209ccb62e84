import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { TrialError } from '../../src/foundation/errors.ts';
import { checkData, planSearch } from '../../src/tasks/search-plan.ts';
import { parseTrialConfig, type TrialConfig } from '../../src/tasks/config.ts';
import { shippedSpace } from '../support/spaces.ts';

const space = shippedSpace('nas-bench-macro');

function config(changes: object = {}): TrialConfig {
  const least = { skeleton: 's', space: 'p', data: { path: 'd' }, epochs: 7, batchSize: 64 };
  return parseTrialConfig(JSON.stringify({ ...least, ...changes }), '/home/user/trial.yml');
}

function refused(act: () => void, code: string, ...parts: readonly string[]): void {
  assert.throws(act, (thrown: unknown) => {
    assert.ok(thrown instanceof TrialError, String(thrown));
    assert.equal(thrown.code, code);
    for (const part of parts) assert.ok(thrown.message.includes(part), thrown.message);
    return true;
  });
}

const MANY = { classes: Array(10), trainImages: 1_000_000 };

describe('planSearch', () => {
  const dependent = (changes: object): unknown[] => {
    const { settings } = planSearch(config(changes), space, MANY).algorithm;
    return [settings['probeImages'], settings['metaImages'], settings['warmupEpochs']];
  };

  it('gives 8 probes and 32 meta images to batches of 32 and more', () => {
    assert.deepEqual(dependent({ batchSize: 32 }), [8, 32, 1]);
    assert.deepEqual(dependent({ batchSize: 128, epochs: 120 }), [8, 32, 21]);
  });

  it('gives a small batch no more than it has, and one epoch no warm-up', () => {
    assert.deepEqual(dependent({ batchSize: 16 }), [8, 16, 1]);
    assert.deepEqual(dependent({ batchSize: 2, epochs: 1 }), [8, 2, 0]);
  });

  it('leaves alone what the config says', () => {
    const said = { probeImages: 9, metaImages: 59, warmupEpochs: 5 };
    assert.deepEqual(dependent(said), [9, 59, 5]);
  });

  const check = (changes: object) => () => {
    planSearch(config(changes), space, MANY);
  };

  it('accepts every batch size and every number of epochs with the defaults', () => {
    for (const batchSize of [1, 2, 16, 31, 32, 65_536]) check({ batchSize })();
    for (const epochs of [1, 2, 3, 5, 100_000]) check({ epochs })();
  });

  it('refuses parts of a batch that are larger than the batch', () => {
    refused(check({ metaImages: 65 }), 'CONFIG_INVALID', 'metaImages', 'batchSize (64)', '65');
  });

  it('refuses more probes than the mini-set has images', () => {
    check({ probeImages: 256 })();
    refused(check({ probeImages: 257 }), 'CONFIG_INVALID', 'probeImages', 'the 256 images', '257');
  });

  it('refuses a warm-up that takes all epochs', () => {
    refused(check({ warmupEpochs: 7 }), 'CONFIG_INVALID', 'warmupEpochs', 'epochs (7)');
  });

  it('refuses a prior of names that the space does not have', () => {
    refused(check({ prior: { skip: 1 } }), 'CONFIG_INVALID', '/prior', '"skip"');
  });
});

describe('checkData', () => {
  const check = (changes: object, trainImages: number) => () => {
    checkData(config(changes), space, { classes: Array(10), trainImages });
  };

  it("refuses another number of classes than the skeleton's", () => {
    const two = { classes: ['cat', 'dog'], trainImages: 1000 };
    const act = (): void => {
      checkData(config(), space, two);
    };
    refused(act, 'CONFIG_INVALID', '/home/user/d', '10 classes', 'found 2');
  });

  it('takes a batch of all images beside the held-out ones, and none more', () => {
    check({ batchSize: 360 }, 400)();
    refused(check({ batchSize: 361 }, 400), 'CONFIG_INVALID', 'batchSize', 'the 360 training');
  });

  it('counts only the images that maxImages leaves', () => {
    const data = { path: 'd', maxImages: 400 };
    check({ data, batchSize: 360 }, 10_000)();
    refused(check({ data, batchSize: 361 }, 10_000), 'CONFIG_INVALID', 'the 360 training');
  });

  it('refuses images that are too few for a held-out part', () => {
    refused(check({}, 100), 'DATA_INVALID', 'training images');
    refused(check({ data: { path: 'd', maxImages: 5 } }, 10_000), 'DATA_INVALID');
  });
});

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { describeOutcome } from '../../src/cli/outcome.ts';

const folder = mkdtempSync(join(tmpdir(), 'nni-cream-summary-'));
after(() => {
  rmSync(folder, { recursive: true });
});

function outcomeOf(status: string) {
  const trial = {
    id: 'T1',
    sequence: 0,
    status,
    parameters: {},
    folder,
    started: null,
    ended: null,
  };
  return { status: 'DONE', errors: [], trials: [trial] };
}

describe('the end of npm start', () => {
  it('tells the architecture, what it costs, how good it is and where the files are', () => {
    const result = {
      best: { path: 'mb3_k3-identity', score: 0.8125, macs: 1_234_567, params: 8901 },
      baselines: { randomPaths: { n: 50, mean: 0.5, standardError: 0.01, max: 0.6 } },
      testAccuracy: null,
      data: { rankingImages: 488, testImages: 0 },
    };
    writeFileSync(join(folder, 'result.json'), JSON.stringify(result));
    assert.deepEqual(describeOutcome(outcomeOf('SUCCEEDED')), [
      'architecture  mb3_k3-identity',
      'MACs          1,234,567',
      'parameters    8,901',
      'accuracy      0.813 on 488 held-out images',
      'at random     0.500, mean of 50',
      `result        ${folder}/result.json`,
      `files         ${folder}/nas`,
      `log           ${folder}/trial.log`,
    ]);
  });

  for (const name of ['trial.log', 'trial.stderr']) {
    it(`shows the end of what a trial that failed has printed, once: ${name}`, () => {
      writeFileSync(join(folder, 'trial.stderr'), '');
      for (const each of new Set(['trial.log', name])) {
        writeFileSync(join(folder, each), 'LOSS_NOT_FINITE: epoch 2\n');
      }
      const lines = describeOutcome(outcomeOf('FAILED'));
      assert.deepEqual(lines, [
        'The experiment ended with status DONE, its trial with FAILED.',
        `--- the end of ${folder}/${name}`,
        'LOSS_NOT_FINITE: epoch 2',
      ]);
    });
  }
});

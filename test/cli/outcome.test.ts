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
  const found = {
    best: { path: 'mb3_k3 identity', score: 0.8125, macs: 1_234_567, params: 8901 },
    selection: { strategy: 'board', scoreBy: 'crossEntropy', scored: 9, ties: [], withinNoise: [] },
    confirmation: { images: 240, accuracy: 0.75, crossEntropy: 0.9 },
    verdict: {
      betterThanRandom: 'yes',
      difference: 0.25,
      standardError: 0.05,
      errorOfImages: 0.03,
      errorOfPaths: 0.04,
      standardErrors: 5,
    },
    baselines: { randomPaths: { n: 50, mean: 0.5, standardError: 0.04, max: 0.6 } },
    testAccuracy: null,
    data: { rankingImages: 488, testImages: 0 },
  };
  const linesOf = (changes: object): string[] => {
    writeFileSync(join(folder, 'result.json'), JSON.stringify({ ...found, ...changes }));
    return describeOutcome(outcomeOf('SUCCEEDED'));
  };

  it('tells the architecture, its cost, how good it is, where the files are, and the verdict last', () => {
    assert.deepEqual(linesOf({}), [
      'architecture  mb3_k3 identity',
      'MACs          1,234,567',
      'parameters    8,901',
      'chosen by     0.813 on 488 held-out images, the best of 9 paths',
      'accuracy      0.750 on 240 held-out images that chose nothing',
      'at random     0.500, mean of 50',
      `result        ${folder}/result.json`,
      `files         ${folder}/nas`,
      `log           ${folder}/trial.log`,
      'verdict       better than random: yes, 0.750 against 0.500 ± 0.050 on 240 images that chose nothing (5.0 standard errors)',
    ]);
  });

  it('names ties and other close calls', () => {
    const [tie, close] = ['identity mb3_k3', 'mb3_k3 mb3_k3'];
    const selection = { ...found.selection, ties: [tie], withinNoise: [tie, close] };
    const lines = linesOf({ selection });
    assert.deepEqual(lines.slice(-3, -1), [
      `close call    of the same score, and not cheaper: ${tie}`,
      `close call    within one standard error: ${close}`,
    ]);
    assert.deepEqual(linesOf({ selection: { ...selection, ties: [] } }).slice(-2, -1), [
      `close call    within one standard error: ${tie}, ${close}`,
    ]);
  });

  it('says of few images that they tell nothing, and compares no answer that nothing was compared with', () => {
    const confirmation = { images: 0, accuracy: 0.8125, crossEntropy: 0.9 };
    const verdict = { ...found.verdict, betterThanRandom: 'too-few-images' };
    const lines = linesOf({ confirmation, verdict });
    assert.ok(!lines.some((line) => line.startsWith('accuracy')));
    assert.match(lines.at(-1)!, /^verdict +better than random: too few images to tell, 0\.813 /u);
    const alone = linesOf({ verdict: null, baselines: { randomPaths: null } });
    assert.match(alone.at(-1)!, /^log /u);
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

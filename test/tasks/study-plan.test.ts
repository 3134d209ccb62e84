import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { TrialError } from '../../src/foundation/errors.ts';
import { planStudy } from '../../src/tasks/study-plan.ts';
import { ROOT } from '../support/spaces.ts';
import { changedStudy, STUDY, writeTinyStudy, type TinyStudy } from '../support/study.ts';

let tiny: TinyStudy;

before(async () => {
  tiny = await writeTinyStudy();
});
after(() => {
  rmSync(tiny.folder, { recursive: true });
});

describe('the plan of a study', () => {
  it('has all runs of a seed before the next seed, each with a folder and its settings', async () => {
    const { trials, output, subject, budgets } = await planStudy(tiny.file);
    assert.equal(output, join(tiny.folder, 'study'));
    assert.deepEqual(
      trials.map(({ name, seed, folder }) => [name, seed, folder]),
      [
        ['cream', 1, join(output, 'cream-1')],
        ['random-spos', 1, join(output, 'random-spos-1')],
        ['cream', 2, join(output, 'cream-2')],
        ['random-spos', 2, join(output, 'random-spos-2')],
      ],
    );
    const [cream, spos] = trials;
    assert.deepEqual(cream!.parameters, { algorithm: 'cream', boardSize: 4, seed: 1 });
    const { settings } = spos!;
    assert.deepEqual(
      [settings['algorithm'], settings['selection.strategy'], settings['boardSize']],
      ['spos', 'random', 4],
    );
    assert.ok(!('threads' in settings) && !('data.path' in settings));
    assert.deepEqual(budgets, [{ min: 0, max: 150_000 }]);
    assert.deepEqual([subject.nets, subject.planned, subject.table.rows.length], [8, 4, 8]);
  });

  const [cream] = STUDY.runs;
  const bad: readonly (readonly [string, object, string, RegExp])[] = [
    ['an unknown key', { seedz: [1] }, 'CONFIG_INVALID', /seedz/],
    ['no seed', { seeds: [] }, 'CONFIG_INVALID', /seeds/],
    ['a seed twice', { seeds: [1, 1] }, 'CONFIG_INVALID', /seeds/],
    ['a name twice', { runs: [cream, { ...cream }] }, 'CONFIG_INVALID', /"cream" twice/],
    ['a name that is a path', { runs: [{ name: '../x' }] }, 'CONFIG_INVALID', /name/],
    [
      'a run with a key that is none',
      { runs: [{ name: 'a', algorithn: 'spos' }] },
      'CONFIG_INVALID',
      /run "a".*"algorithn"/s,
    ],
    ['a run with its own seed', { runs: [{ name: 'a', seed: 3 }] }, 'CONFIG_INVALID', /"seed"/],
    [
      'a run with another space',
      { runs: [{ name: 'a', space: 'x' }] },
      'CONFIG_INVALID',
      /"space"/,
    ],
    [
      'a run with a wrong value',
      { runs: [cream, { name: 'b', algorithm: 'magic' }] },
      'CONFIG_INVALID',
      /run "b".*algorithm/s,
    ],
    [
      'a run that could not train',
      { settings: { batchSize: 9999 } },
      'CONFIG_INVALID',
      /batchSize/,
    ],
    ['a budget without a network', { budgets: [{ maxMacs: 5 }] }, 'CONFIG_INVALID', /budgets/],
    ['a run beyond its space', { settings: { maxMacs: 5 } }, 'BUDGET_UNREACHABLE', /5/],
    ['more networks than there are', { nets: 9 }, 'TABLE_INVALID', /9 different networks/],
    ['a table that is not there', { table: 'none.csv' }, 'FILE_UNREADABLE', /none\.csv/],
    ['a config that is not there', { config: 'none.yml' }, 'FILE_UNREADABLE', /none\.yml/],
  ];
  for (const [what, changes, code, message] of bad) {
    it(`refuses ${what} before anything runs`, async () => {
      const file = changedStudy(tiny, 'bad', changes);
      await assert.rejects(planStudy(file), (error) => {
        assert.ok(error instanceof TrialError);
        assert.equal(error.code, code, error.message);
        assert.match(error.message, message);
        return true;
      });
    });
  }

  it('refuses a text that is no document', async () => {
    const file = join(tiny.folder, 'text.yml');
    writeFileSync(file, 'runs: [');
    await assert.rejects(planStudy(file), { code: 'CONFIG_INVALID' });
  });
});

describe('the study that ships', () => {
  const file = join(ROOT, 'nni-config/study/cifar10.yml');

  it('lacks nothing but the images, which have to be fetched', async () => {
    const outcome = await planStudy(file).catch((error: unknown) => error);
    if (outcome instanceof Error) {
      // The images are looked at last.
      assert.ok(
        outcome instanceof TrialError && outcome.code === 'DATA_NOT_FOUND',
        outcome.message,
      );
    } else {
      assert.ok('trials' in (outcome as object));
    }
  });
});

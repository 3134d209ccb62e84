import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { runCampaign } from '../../scripts/kill/campaign.ts';
import { planKills } from '../../scripts/kill/plan.ts';
import type { SearchResult } from '../../src/generated/result.ts';
import { writeTinySearch } from '../e2e/support.ts';

/** Forty steps, a meta step every second one, twenty saves. */
const CHANGES = {
  imagesPerEpoch: 160,
  warmupEpochs: 0,
  metaInterval: 2,
  checkpoint: { steps: 2 },
};

describe('a search that is killed and goes on', () => {
  it(
    'ends with the bytes of one that was never killed, after up to five kills',
    { timeout: 300_000 },
    async (t) => {
      const { folder, config } = await writeTinySearch(CHANGES);
      t.after(() => {
        rmSync(folder, { recursive: true });
      });
      const campaign = join(folder, 'campaign');
      mkdirSync(campaign);
      const print = (line: string): void => {
        t.diagnostic(line);
      };
      const outcome = await runCampaign({ config, folder: campaign, kills: 5, seed: 1, print });
      assert.deepEqual(outcome.differences, []);
      // The last ones may come too late on a machine that is slow to start a process.
      assert.ok(outcome.phases.length >= 3, `only ${outcome.phases.length} kills`);
      const text = readFileSync(join(campaign, 'killed/result.json'), 'utf8');
      const { activity } = JSON.parse(text) as SearchResult;
      assert.ok(activity['metaSteps']! > 0 && activity['lessons']! > 0, 'all of Cream was at work');
    },
  );
});

describe('the plan of a kill campaign', () => {
  const plan = planKills(30, 1);

  it('is a function of the seed', () => {
    assert.deepEqual(planKills(30, 1), plan);
    assert.notDeepEqual(planKills(30, 2), plan);
  });

  it('aims a third of the kills at saves, and lets the search get on from kill to kill', () => {
    assert.equal(plan.filter(({ target }) => target === 'save').length, 10);
    const aims = plan.filter(({ target }) => target !== 'time').map(({ progress }) => progress);
    assert.deepEqual(
      aims,
      aims.toSorted((a, b) => a - b),
    );
    assert.ok(aims.every((share) => share < 1));
  });
});

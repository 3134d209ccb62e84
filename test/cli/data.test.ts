import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { surveyImages } from '../../src/data/survey.ts';
import { runCli } from '../support/command.ts';

describe('nni-cream data fetch', () => {
  it('prints nothing but the path of the data set, which can be opened', async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'data-fetch-'));
    t.after(() => rm(folder, { recursive: true }));
    const fetch = () => runCli(['data', 'fetch', 'shapes', '--into', 'sets'], { cwd: folder });
    const { stdout, stderr, code } = await fetch();
    assert.equal(stdout, `${join(folder, 'sets/shapes')}\n`);
    assert.equal(code, 0);
    assert.match(stderr, /generated shapes/u);
    const { classes, trainImages, medianSide } = await surveyImages(stdout.trim(), 'auto');
    assert.deepEqual([classes.length, trainImages, medianSide], [10, 6000, 32]);
    assert.deepEqual((await fetch()).stdout, stdout);
  });
});

import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { createTrialLog } from '../../src/trial/trial-log.ts';

const now = (): Date => new Date(2026, 0, 2, 3, 4, 5);
const LINE = '[2026-01-02 03:04:05] INFO (nni-cream/MainThread) epoch 1\n';

function recorder(): { readonly texts: string[]; write: (text: string) => void } {
  const texts: string[] = [];
  return { texts, write: (text) => void texts.push(text) };
}

describe('createTrialLog', () => {
  it('appends lines in the format of NNI and mirrors them', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'nni-cream-log-'));
    const mirror = recorder();
    createTrialLog({ directory, mirror, now }).log('info', 'epoch 1');
    createTrialLog({ directory, mirror, now }).log('warning', 'slow');
    const warning = '[2026-01-02 03:04:05] WARNING (nni-cream/MainThread) slow\n';
    assert.equal(await readFile(join(directory, 'trial.log'), 'utf8'), LINE + warning);
    assert.deepEqual(mirror.texts, [LINE, warning]);
    await rm(directory, { recursive: true });
  });

  it('only mirrors without a directory', () => {
    const mirror = recorder();
    createTrialLog({ directory: null, mirror, now }).log('info', 'epoch 1');
    assert.deepEqual(mirror.texts, [LINE]);
  });

  it('writes the file alone where nothing is to be printed', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'nni-cream-log-'));
    createTrialLog({ directory, mirror: null, now }).log('info', 'epoch 1');
    assert.equal(await readFile(join(directory, 'trial.log'), 'utf8'), LINE);
    await rm(directory, { recursive: true });
  });

  it('goes on with the mirror, and says so once, when the file cannot be written', () => {
    const mirror = recorder();
    const logger = createTrialLog({ directory: '/dev/null', mirror, now });
    logger.log('info', 'epoch 1');
    logger.log('info', 'epoch 1');
    const [first, complaint, ...rest] = mirror.texts;
    assert.equal(first, LINE);
    assert.match(complaint!, /WARNING .* no more lines in trial\.log: ENOTDIR/);
    assert.deepEqual(rest, [LINE]);
  });
});

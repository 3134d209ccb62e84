import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { appendFile, mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { openScores, SCORES_FILE } from '../../src/run-folder/scores.ts';
import { recordingLogger } from '../support/nni.ts';

let folder = '';
let logger = recordingLogger();

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'nni-cream-scores-'));
  logger = recordingLogger();
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

const first = { accuracy: 0.1 + 0.2, crossEntropy: 1 / 3 };
const second = { accuracy: 0, crossEntropy: 1e-17 };

describe('the scores of a folder', () => {
  it('are there again, bit for bit, after a restart', () => {
    const scores = openScores(folder, logger);
    assert.equal(scores.get('a'), undefined);
    scores.set('a', first);
    scores.set('b', second);
    assert.deepEqual(scores.get('a'), first);
    const again = openScores(folder, logger);
    assert.deepEqual([again.get('a'), again.get('b'), again.get('c')], [first, second, undefined]);
    assert.deepEqual(logger.lines, []);
  });

  it('outlive a last line that a kill tore, and so do those written after it', async () => {
    const scores = openScores(folder, logger);
    scores.set('a', first);
    scores.set('b', second);
    const file = join(folder, SCORES_FILE);
    for (const cut of [1, 5, 20]) {
      const text = readFileSync(file, 'utf8');
      writeFileSync(file, text.slice(0, -cut));
      const torn = openScores(folder, logger);
      assert.deepEqual(torn.get('a'), first);
      torn.set('c', second);
      assert.deepEqual(openScores(folder, logger).get('c'), second, `${cut} characters short`);
      writeFileSync(file, text);
    }
    await appendFile(
      file,
      'not json\n{"key":"d"}\n{"key":"e","accuracy":null,"crossEntropy":1}\n[]\nnull\n\n',
    );
    const again = openScores(folder, logger);
    assert.deepEqual([again.get('a'), again.get('b')], [first, second]);
    assert.deepEqual([again.get('d'), again.get('e')], [undefined, undefined]);
  });

  it('are kept in memory, with one warning, where none can be written', async () => {
    await mkdir(join(folder, SCORES_FILE));
    const scores = openScores(folder, logger);
    scores.set('a', first);
    scores.set('b', second);
    assert.deepEqual([scores.get('a'), scores.get('b')], [first, second]);
    assert.equal(logger.lines.length, 1);
    assert.match(logger.lines[0]!, /^warning scores are kept in memory only: .*EISDIR/);
  });
});

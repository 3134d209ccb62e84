import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { mkdir, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { spos } from '../../src/algorithms/spos/spos.ts';
import type { Stateless } from '../../src/algorithms/stateless.ts';
import type { Engine } from '../../src/engine/engine.ts';
import type { Supernet } from '../../src/supernet/supernet.ts';
import { STABLE } from '../../src/training/stability.ts';
import { initialState, type SearchState } from '../../src/training/state.ts';
import { Saver, type SaverOptions } from '../../src/run-folder/checkpoint/saver.ts';
import { manifestFiles, readManifest } from '../../src/run-folder/checkpoint/store.ts';
import { CHECKPOINT_RUN } from '../support/checkpoint.ts';
import { nativeEngine } from '../support/engine.ts';
import { METRICS } from '../support/metrics.ts';
import { recordingLogger } from '../support/nni.ts';
import { tinySearch, tinySupernet } from '../support/tiny.ts';

let engine: Engine;
let supernet: Supernet;
let output: string;
let first: SearchState<Stateless>;
const { algorithm, plan } = tinySearch(spos);
let now = 0;
let logger = recordingLogger();

before(async () => {
  engine = await nativeEngine();
  supernet = tinySupernet(engine);
  first = initialState(supernet, algorithm.initialState());
});
after(() => {
  supernet.dispose();
});
beforeEach(() => {
  output = mkdtempSync(join(tmpdir(), 'nni-cream-saver-'));
  logger = recordingLogger();
  now = 0;
});
afterEach(() => {
  rmSync(output, { recursive: true });
});

function saverWith(changes: Partial<SaverOptions<Stateless>> = {}): Saver<Stateless> {
  return new Saver(
    {
      output,
      schedule: { minutes: 5 },
      run: CHECKPOINT_RUN,
      owner: { supernet, algorithm, plan },
      clock: () => now,
      now: () => new Date(0),
      logger,
      signal: new AbortController().signal,
      ...changes,
    },
    first,
  );
}

const at = (
  step: number,
  changes: Partial<SearchState<Stateless>> = {},
): SearchState<Stateless> => ({
  ...first,
  step,
  ...changes,
});

/** Steps of the checkpoints, newest first. */
async function saved(): Promise<number[]> {
  const manifests = await Promise.all((await manifestFiles(output)).map(readManifest));
  return manifests.map(({ state }) => state.step);
}

describe('a saver', () => {
  it('saves every so many steps', async () => {
    const saver = saverWith({ schedule: { steps: 3, minutes: 5 } });
    for (let step = 1; step <= 7; step++) await saver.checkpoint(at(step));
    assert.deepEqual(await saved(), [6, 3]);
  });

  it('saves every so many minutes, and not again what is saved', async () => {
    const saver = saverWith();
    now = 4.9 * 60_000;
    await saver.checkpoint(at(1));
    assert.deepEqual(await saved(), []);
    now = 5 * 60_000;
    const state = at(2);
    await saver.checkpoint(state);
    now = 11 * 60_000;
    await saver.checkpoint(state);
    assert.deepEqual(await saved(), [2]);
  });

  it('saves at the end of an epoch, with its score', async () => {
    const saver = saverWith();
    await saver.checkpoint(at(10));
    await saver.checkpoint(at(10, { reports: [METRICS] }));
    const [file] = await manifestFiles(output);
    assert.equal((await readManifest(file!)).score, METRICS.default);
  });

  it('goes back to another where the one to go back to is damaged', async () => {
    const saver = saverWith();
    await saver.save(at(0));
    await saver.save(at(4));
    await saver.save(at(5, { stability: { ...STABLE, inARow: 1 } }));
    assert.equal((await saver.rollBack()).step, 0);
    await truncate(join(output, 'checkpoints/00000001.safetensors'), 40);
    assert.equal((await saver.rollBack()).step, 4);
  });

  it('is told when what it went back to has gone', async () => {
    const saver = saverWith();
    await saver.save(at(4));
    await rm(join(output, 'checkpoints'), { recursive: true });
    await assert.rejects(saver.rollBack(), { code: 'CHECKPOINT_INVALID' });
  });

  it('warns of one failure and ends the search at the second in a row', async () => {
    const saver = saverWith({ schedule: { steps: 1, minutes: 5 } });
    await saver.checkpoint(at(1));
    await rm(join(output, 'checkpoints'), { recursive: true });
    await writeFile(join(output, 'checkpoints'), 'a file in the way');
    await saver.checkpoint(at(2));
    assert.match(logger.lines.join(), /^warning the search goes on unsaved: /);
    await rm(join(output, 'checkpoints'));
    await mkdir(join(output, 'checkpoints'));
    await saver.checkpoint(at(3));
    await rm(join(output, 'checkpoints'), { recursive: true });
    await writeFile(join(output, 'checkpoints'), 'a file in the way');
    await saver.checkpoint(at(4));
    await assert.rejects(saver.checkpoint(at(5)), { code: 'FILE_UNWRITABLE' });
  });

  it('saves once more when the process is to end, and then throws', async () => {
    const controller = new AbortController();
    const saver = saverWith({ signal: controller.signal });
    await saver.save(at(1));
    controller.abort();
    await assert.rejects(saver.checkpoint(at(2)), { name: 'AbortError' });
    assert.deepEqual(await saved(), [2, 1]);
  });

  it('begins no last save where the one before took long, or none has been made', async () => {
    const controller = new AbortController();
    let reading = 0;
    const clock = (): number => (reading += 2000);
    const saver = saverWith({ signal: controller.signal, clock });
    await saver.save(at(1));
    controller.abort();
    await assert.rejects(saver.checkpoint(at(2)), { name: 'AbortError' });
    const another = saverWith({ signal: controller.signal });
    await assert.rejects(another.checkpoint(at(2)), { name: 'AbortError' });
    assert.deepEqual(await saved(), [1]);
  });
});

import assert from 'node:assert/strict';
import { mkdir, mkdtemp, open, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, it, type TestContext } from 'node:test';
import { STABLE } from '../../src/training/stability.ts';
import type { Snapshot } from '../../src/training/snapshot.ts';
import { requireSameMathematics } from '../../src/run-folder/checkpoint/identity.ts';
import { manifestText, parseManifest } from '../../src/run-folder/checkpoint/manifest.ts';
import {
  decodeSafetensors,
  encodeSafetensors,
} from '../../src/run-folder/checkpoint/safetensors.ts';
import {
  manifestFiles,
  newestCheckpoint,
  readManifest,
  saveCheckpoint,
  tidy,
} from '../../src/run-folder/checkpoint/store.ts';
import { CHECKPOINT_RUN } from '../support/checkpoint.ts';
import { METRICS } from '../support/metrics.ts';
import { recordingLogger } from '../support/nni.ts';

const INVALID = { code: 'CHECKPOINT_INVALID' };

function snapshotAt(step: number): Snapshot {
  return {
    values: {
      step,
      algorithm: {
        meta: { steps: 1, bias: 1 / 3, biasMean: -1e-17, biasSquare: 0 },
        board: {
          capacity: 2,
          entries: [{ path: [0, 1], macs: 7, crossEntropy: 1 / 7, accuracy: 0.5, since: 1 }],
        },
        boardOpenedAtEpoch: null,
      },
      stability: STABLE,
      tally: { steps: 0, loss: 0, images: 0, ms: 0 },
      time: { trainingMs: 1.5, evaluationMs: 0, dataWaitMs: 0 },
      reports: [METRICS],
      ranking: [{ path: [0, 1], accuracy: 2 / 3, crossEntropy: 1 / 3 }],
    },
    arrays: [
      { name: 'weight/stem', shape: [3], values: new Float32Array([step, -0, 1e-40]) },
      { name: 'algorithm/meta/weight', shape: [2], values: new Float64Array([Math.PI, 1e-300]) },
      { name: 'algorithm/board/0', shape: [2], values: new Float32Array([1, 2]) },
    ],
  };
}

async function temporaryFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'nni-cream-checkpoint-'));
  t.after(() => rm(folder, { recursive: true }));
  return folder;
}

function save(folder: string, step: number, score: number | null = null): Promise<void> {
  return saveCheckpoint(folder, snapshotAt(step), {
    run: CHECKPOINT_RUN,
    savedAt: new Date(0),
    score,
  });
}

async function stepsIn(folder: string): Promise<number[]> {
  const manifests = await Promise.all((await manifestFiles(folder)).map(readManifest));
  return manifests.map(({ state }) => state.step);
}

describe('a checkpoint', () => {
  let logger = recordingLogger();
  beforeEach(() => {
    logger = recordingLogger();
  });

  it('gives back every bit of a state, and what run it belongs to', async (t) => {
    const folder = await temporaryFolder(t);
    assert.equal(await newestCheckpoint(folder, logger), null);
    await save(folder, 5);
    const checkpoint = await newestCheckpoint(folder, logger);
    assert.deepEqual(checkpoint?.snapshot, snapshotAt(5));
    assert.deepEqual(checkpoint.manifest.run, CHECKPOINT_RUN);
    assert.deepEqual(logger.lines, []);
  });

  it('the last two, the best and one to go back to are kept, and nothing that a killed process left', async (t) => {
    const folder = await temporaryFolder(t);
    await save(folder, 11, 0.5);
    await save(folder, 12, 0.9);
    await save(folder, 13, 0.7);
    await writeFile(join(folder, 'checkpoints/00000009.safetensors.partial'), 'half');
    await writeFile(join(folder, 'checkpoints/00000009.safetensors'), 'no manifest');
    await save(folder, 14);
    await save(folder, 15);
    assert.deepEqual(await stepsIn(folder), [15, 14, 12, 11], 'back to the start');
    assert.equal((await readdir(join(folder, 'checkpoints'))).length, 8);
    await save(folder, 10);
    await save(folder, 16);
    await save(folder, 17);
    assert.deepEqual(await stepsIn(folder), [17, 16, 10, 12], 'back to the end of the first epoch');
  });

  it('that is damaged does not count among the last two', async (t) => {
    const folder = await temporaryFolder(t);
    for (const step of [11, 12, 13]) await save(folder, step);
    await truncate(join(folder, 'checkpoints/00000003.safetensors'), 40);
    await save(folder, 14);
    assert.deepEqual(await stepsIn(folder), [14, 12, 11]);
  });

  it('leaves files and folders of others alone', async (t) => {
    const folder = await temporaryFolder(t);
    await mkdir(join(folder, 'checkpoints/00000001 copy'), { recursive: true });
    await writeFile(join(folder, 'checkpoints/notes.txt'), 'mine');
    await save(folder, 11);
    await save(folder, 12);
    const names = await readdir(join(folder, 'checkpoints'));
    assert.deepEqual(
      names.filter((name) => !/^\d{8}\.(json|safetensors)$/.test(name)),
      ['00000001 copy', 'notes.txt'],
    );
  });

  it('whose arrays are those of another is passed over', async (t) => {
    const folder = await temporaryFolder(t);
    await save(folder, 11);
    await save(folder, 12);
    const [second, first] = await manifestFiles(folder);
    await writeFile(second!, await readFile(first!));
    assert.equal((await newestCheckpoint(folder, logger))?.file, first);
  });

  it('what a killed process left is removed when a search goes on', async (t) => {
    const folder = await temporaryFolder(t);
    const names = (): Promise<string[]> => readdir(join(folder, 'checkpoints'));
    await save(folder, 1);
    await save(folder, 2);
    const [second] = await manifestFiles(folder);
    const whole = await names();
    await writeFile(join(folder, 'checkpoints/00000003.safetensors.partial'), 'half');
    await writeFile(join(folder, 'checkpoints/00000003.safetensors'), 'no manifest');
    await tidy(folder, second);
    assert.deepEqual(await names(), whole);
  });

  it('that is newer than the one in use, hence damaged, takes nobody’s place', async (t) => {
    const folder = await temporaryFolder(t);
    for (const step of [10, 11, 12]) await save(folder, step);
    await save(folder, 10);
    const [damaged, used] = await manifestFiles(folder);
    await flipLastBut(3)(damaged!.replace('.json', '.safetensors'));
    await tidy(folder, used);
    await save(folder, 13);
    assert.deepEqual(await stepsIn(folder), [13, 12]);
  });

  it('truncated or with one bit changed is passed over with a warning', async (t) => {
    const damages: [kind: string, damage: (file: string) => Promise<void>][] = [
      ['truncated', (file) => truncate(file, 40)],
      ['empty', (file) => truncate(file, 0)],
      ['flipped', flipLastBut(9)],
      ['removed', (file) => rm(file)],
    ];
    for (const suffix of ['.json', '.safetensors']) {
      for (const [kind, damage] of damages.slice(0, suffix === '.json' ? 3 : 4)) {
        const folder = await temporaryFolder(t);
        await save(folder, 1);
        await save(folder, 2);
        await damage(join(folder, 'checkpoints', `00000002${suffix}`));
        const { lines } = (logger = recordingLogger());
        const found = await newestCheckpoint(folder, logger);
        assert.equal(found?.manifest.state.step, 1, `${kind} ${suffix}`);
        assert.equal(lines.length, 1);
        assert.match(lines[0]!, /^warning passed over a damaged checkpoint: .*00000002/);
        await damage(join(folder, 'checkpoints', `00000001${suffix}`));
        await assert.rejects(newestCheckpoint(folder, logger), INVALID, `${kind} ${suffix} twice`);
      }
    }
  });

  it('a save that fails half-way leaves the old ones and no temporary file', async (t) => {
    for (const file of ['00000003.safetensors', '00000003.json']) {
      const folder = await temporaryFolder(t);
      await save(folder, 1);
      await save(folder, 2);
      const before = await readdir(join(folder, 'checkpoints'));
      // A folder in the way: the file cannot be written.
      await mkdir(join(folder, 'checkpoints', `${file}.partial`));
      await assert.rejects(save(folder, 3), { code: 'FILE_UNWRITABLE' });
      assert.deepEqual(await readdir(join(folder, 'checkpoints')), before);
      assert.equal((await newestCheckpoint(folder, logger))?.manifest.state.step, 2);
    }
  });

  it('a save whose manifest may not be on the disk leaves nothing of itself', async (t) => {
    const folder = await temporaryFolder(t);
    await save(folder, 1);
    const before = await readdir(join(folder, 'checkpoints'));
    const handle = await open(folder);
    const prototype = Object.getPrototypeOf(handle) as typeof handle;
    await handle.close();
    // Arrays, their folder, the manifest; then the folder again.
    const sync = t.mock.method(prototype, 'sync');
    const broken = Object.assign(new Error('EIO'), { syscall: 'fsync' });
    sync.mock.mockImplementationOnce(() => Promise.reject(broken), 3);
    await assert.rejects(save(folder, 2), { code: 'FILE_UNWRITABLE' });
    assert.deepEqual(await readdir(join(folder, 'checkpoints')), before);
  });

  it('whose manifest names a file elsewhere is refused', async (t) => {
    const folder = await temporaryFolder(t);
    await save(folder, 1);
    const [file] = await manifestFiles(folder);
    const manifest = { ...(await readManifest(file!)), sha256: undefined };
    const arrays = { ...manifest.arrays, file: '../../00000001.safetensors' };
    await writeFile(file!, manifestText({ ...manifest, arrays }));
    await assert.rejects(newestCheckpoint(folder, logger), INVALID);
  });
});

/** Changes one bit of a file, so many bytes before its end. */
function flipLastBut(count: number): (file: string) => Promise<void> {
  return async (file) => {
    const bytes = await readFile(file);
    const at = bytes.length - count;
    bytes[at] = (bytes[at] ?? 0) ^ 1;
    await writeFile(file, bytes);
  };
}

describe('a safetensors file', () => {
  it('that claims other lengths, types or places is refused', () => {
    const header = (entry: object): Buffer => {
      const text = Buffer.from(JSON.stringify({ a: entry }));
      const length = Buffer.alloc(8);
      length.writeBigUInt64LE(BigInt(text.length));
      return Buffer.concat([length, text, Buffer.alloc(8)]);
    };
    const whole = { dtype: 'F32', shape: [2], data_offsets: [0, 8] };
    assert.equal(decodeSafetensors(header(whole), 'f')[0]?.values.length, 2);
    const wrong = [
      { ...whole, shape: [3] },
      { ...whole, shape: [1e300, 1e300] },
      { ...whole, shape: [-2] },
      { ...whole, dtype: 'I64' },
      { ...whole, data_offsets: [0, 800] },
      { ...whole, data_offsets: [8, 0] },
      { ...whole, data_offsets: 'all' },
      {},
    ];
    for (const entry of wrong) {
      assert.throws(() => decodeSafetensors(header(entry), 'f'), INVALID, JSON.stringify(entry));
    }
    const endless = Buffer.alloc(16, 0xff);
    for (const bytes of [
      Buffer.alloc(0),
      endless,
      Buffer.from('\u0001\0\0\0\0\0\0\0[', 'latin1'),
    ]) {
      assert.throws(() => decodeSafetensors(bytes, 'f'), INVALID);
    }
  });

  it('keeps the names and shapes in their order', () => {
    const { arrays } = snapshotAt(1);
    assert.deepEqual(decodeSafetensors(encodeSafetensors(arrays), 'f'), arrays);
  });
});

describe('a manifest', () => {
  it('is refused when it is no JSON, breaks the schema or its own digest', () => {
    for (const text of ['', 'null', '[]', '{}', '"x"', '['.repeat(100_000), '{"__proto__": 1}']) {
      assert.throws(() => parseManifest(text, 'm'), INVALID, text.slice(0, 20));
    }
  });
});

describe('going on with another config', () => {
  it('is refused with the names of the keys that change the mathematics', () => {
    const saved = { seed: 1, lr: 0.1, prior: { a: 1 } };
    const compare = (current: object): void => {
      requireSameMathematics(saved, { ...current }, 'c');
    };
    compare(structuredClone(saved));
    assert.throws(
      () => {
        compare({ ...saved, lr: 0.2, prior: null });
      },
      {
        code: 'CHECKPOINT_MISMATCH',
        message: /c: wanted lr = 0\.1, prior = \{"a":1\}; found lr = 0\.2, prior = null\./,
      },
    );
  });
});

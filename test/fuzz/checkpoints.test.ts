import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { cream } from '../../src/algorithms/cream/cream.ts';
import { sha256 } from '../../src/foundation/digest.ts';
import type { NamedArray } from '../../src/foundation/named-arrays.ts';
import type { CheckpointManifest } from '../../src/generated/checkpoint.ts';
import { manifestText, parseManifest } from '../../src/run-folder/checkpoint/manifest.ts';
import {
  decodeSafetensors,
  encodeSafetensors,
} from '../../src/run-folder/checkpoint/safetensors.ts';
import { candidatesOf } from '../../src/searchspace/path.ts';
import { train } from '../../src/training/loop.ts';
import { restoreSnapshot, takeSnapshot } from '../../src/training/snapshot.ts';
import { initialState } from '../../src/training/state.ts';
import { nativeEngine } from '../support/engine.ts';
import { tinyContext, tinySearch, tinySpace, tinySupernet } from '../support/tiny.ts';
import { documents, INHERITED, texts } from './inputs.ts';
import { checkProperty, checkShares } from './property.ts';

const content: Omit<CheckpointManifest, 'sha256'> = {
  format: 'nni-cream-checkpoint/2',
  savedAt: '2026-01-01T00:00:00.000Z',
  score: 0.5,
  arrays: { file: '00000001.safetensors', bytes: 8, sha256: 'a'.repeat(64) },
  run: {
    configFile: '/home/user/trial.yml',
    parameters: { seed: 1 },
    engine: 'native',
    totalSteps: 60,
    stepsPerEpoch: 20,
    mathematics: { seed: 1, prior: null },
    circumstances: { threads: 2, engine: 'native' },
    badSamples: [{ name: 'a.png', reason: 'broken' }],
  },
  state: {
    step: 7,
    stability: { skipped: 0, inARow: 0, sinceRollback: 0, rollbacks: 0 },
    algorithm: {
      meta: { steps: 0, bias: 0, biasMean: 0, biasSquare: 0 },
      board: {
        capacity: 4,
        entries: [{ path: [0, 1], macs: 10, crossEntropy: 0.7, accuracy: 0.5, since: 3 }],
      },
      applicants: [{ path: [0, 1], macs: 10, lead: 0.1 }],
      activity: { measurements: 1, admissions: 1, boardOpenedAtEpoch: null, metaSteps: 0, lessons: 0, rhoSum: 0, rhoMin: 0, rhoMax: 0 }, // prettier-ignore
      tally: { lessons: 0, kd: 0, rho: 0, rhoSquare: 0, teachers: [], admitted: 0, left: 0 },
    },
    tally: { steps: 7, loss: 9, images: 112, ms: 12 },
    time: { trainingMs: 1, evaluationMs: 1, dataWaitMs: 1 },
    reports: [{ default: 0.5, loss: 1, kdLoss: 0, rho: 0, boardMean: 0.5, bestMacs: 10, lr: 0.1, imagesPerSecond: 9, skippedSteps: 0, skippedImages: 0 }], // prettier-ignore
    ranking: [{ path: [0, 1], accuracy: 0.5, crossEntropy: 0.7 }],
  },
};

/** The manifest that an attacker would write: its own digest fits. */
function sealed(document: unknown): unknown {
  if (typeof document !== 'object' || document === null) return document;
  const unsealed = { ...document, sha256: undefined };
  return { ...unsealed, sha256: sha256(JSON.stringify(unsealed)) };
}

describe('hostile checkpoint manifests', () => {
  it('name a file of their own folder, or are refused', () => {
    const valid = documents(fc.constant<unknown>(content)).map(sealed);
    const unsealed = documents(fc.constant<unknown>(JSON.parse(manifestText(content))));
    const outcomes = checkProperty({
      inputs: texts(fc.oneof(valid, valid, valid, unsealed), ['json']),
      cases: 500,
      codes: ['CHECKPOINT_INVALID'],
      attempt: (text) => {
        const { arrays, state } = parseManifest(text, 'manifest');
        assert.match(arrays.file, /^\d+\.safetensors$/);
        assert.ok(state.step >= 0);
      },
    });
    checkShares(outcomes, 0.1);
  });
});

describe('hostile states of a search', { timeout: 120_000 }, () => {
  it('are restored where a search can be in them, or are refused', async () => {
    const engine = await nativeEngine();
    const supernet = tinySupernet(engine);
    const search = tinySearch(cream, { imagesPerEpoch: 64 });
    const { algorithm, plan } = search;
    const first = initialState(supernet, algorithm.initialState());
    const ended = await train(first, tinyContext(supernet, search));
    const { values, arrays } = structuredClone(takeSnapshot(ended, search));
    assert.ok(ended.own.board.entries.length > 0);
    const outcomes = checkProperty({
      inputs: documents(fc.constant<unknown>(JSON.parse(JSON.stringify(values)))),
      cases: 300,
      codes: ['CHECKPOINT_INVALID'],
      attempt: (state) => {
        const document = sealed(JSON.parse(JSON.stringify({ ...content, state })));
        const manifest = parseManifest(JSON.stringify(document), 'manifest');
        const snapshot = { values: manifest.state, arrays };
        const restored = restoreSnapshot(snapshot, { supernet, algorithm, plan });
        const { reports, step, own, ranking } = restored;
        assert.ok(step >= reports.length * plan.stepsPerEpoch && step <= plan.totalSteps);
        for (const { path } of [...own.board.entries, ...ranking]) candidatesOf(tinySpace, path);
      },
    });
    checkShares(outcomes, 0.1);
    supernet.dispose();
  });
});

const arrays: readonly NamedArray[] = INHERITED.map((name, i) => ({
  name,
  shape: [i, 2],
  values: i % 2 === 0 ? new Float32Array(2 * i).fill(i) : new Float64Array(2 * i).fill(i),
}));
const file = encodeSafetensors(arrays);
const headerLength = Number(file.readBigUInt64LE());
const numbers = file.subarray(8 + headerLength);

/** A file with another text in the place of its header. */
function fileOf(header: string): Buffer {
  const text = Buffer.from(header);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  return Buffer.concat([length, text, numbers]);
}

describe('hostile files of arrays', () => {
  const codes = ['CHECKPOINT_INVALID'] as const;
  const attempt = (bytes: Uint8Array): void => {
    const read = decodeSafetensors(bytes, 'file');
    for (const { shape, values } of read) {
      assert.equal(
        shape.reduce((count, length) => count * length, 1),
        values.length,
      );
      assert.ok(values.byteLength <= bytes.length);
    }
  };

  it('with a changed header are read, or refused', () => {
    const header: unknown = JSON.parse(file.subarray(8, 8 + headerLength).toString());
    const outcomes = checkProperty({
      inputs: texts(documents(fc.constant(header)), ['json']).map(fileOf),
      cases: 500,
      codes,
      attempt,
    });
    checkShares(outcomes, 0.1);
  });

  it('with changed, missing or added bytes are read, or refused', () => {
    const flipped = fc.tuple(fc.nat(file.length - 1), fc.nat(255)).map(([at, byte]) => {
      const copy = Buffer.from(file);
      copy[at] = byte;
      return copy;
    });
    const cut = fc.nat(file.length).map((end) => file.subarray(0, end));
    const longer = fc.uint8Array().map((more) => Buffer.concat([file, more]));
    const outcomes = checkProperty({
      inputs: fc.oneof<fc.Arbitrary<Uint8Array>[]>(flipped, cut, longer, fc.uint8Array()),
      cases: 500,
      codes,
      attempt,
    });
    checkShares(outcomes, 0.1);
  });

  it('unchanged are what was written', () => {
    assert.deepEqual(decodeSafetensors(file, 'file'), arrays);
  });
});

/** One block of the benchmark on our engine: `nni-cream-step.ts WORKLOAD.json [--profile]`. */
import { readFileSync } from 'node:fs';
import { createRng } from '../src/foundation/rng.ts';
import { openEngine } from '../src/engine/open.ts';
import type { LoadOptions } from '../src/engine/load.ts';
import type { Board, BoardEntry } from '../src/algorithms/cream/board.ts';
import { createMetaNetwork } from '../src/algorithms/cream/meta-network.ts';
import { chooseTeacher } from '../src/algorithms/cream/teacher.ts';
import { Supernet } from '../src/supernet/supernet.ts';
import type { Batch } from '../src/training/ports.ts';
import { matchesOf } from '../src/algorithms/cream/probes.ts';
import { predict, trainStudent, type Lesson } from '../src/training/student.ts';
import { recordOperations } from './operations.ts';
import type { BenchStep, Workload } from './workload.ts';

const SETTINGS = { lr: 0.01, momentum: 0.9, weightDecay: 1e-4, labelSmoothing: 0.1 };

const [file = '', flag] = process.argv.slice(2);
const workload = JSON.parse(readFileSync(file, 'utf8')) as Workload;
const { space, batchSize, probeImages, threads, warmup, steps } = workload;
const options: LoadOptions = { engine: 'cpu', environment: process.env, threads };
const operations = flag === '--profile' ? await recordOperations(options) : null;
const supernet = new Supernet(await openEngine(options), space, 0);
const batch = randomBatch();
const board = createBoard();
const meta = createMetaNetwork(probeImages * space.classes, 0);

const report = {
  parameters: supernet.parameters.reduce(
    (sum, { shape }) => sum + shape.reduce((product, length) => product * length, 1),
    0,
  ),
  imagesPerSecond: { spos: measure(sposStep), cream: measure(creamStep) },
  operations: operations?.totals ?? null,
};
const { user, system } = process.cpuUsage();
console.log(JSON.stringify({ ...report, cpuSeconds: (user + system) / 1e6 }));

function sposStep({ student }: BenchStep): void {
  trainStudent(supernet, { path: student, batch, lesson: null }, SETTINGS);
}

function creamStep({ student, teacher }: BenchStep): void {
  const chosen = chooseTeacher(meta, matchesOf(supernet, board, student), student);
  const entry = board.entries[teacher];
  if (chosen === null || entry === undefined) throw new Error('nobody teaches');
  const probabilities = predict(supernet, batch.images, entry.path);
  const lesson: Lesson = { rho: chosen.rho, probabilities };
  trainStudent(supernet, { path: student, batch, lesson }, SETTINGS);
}

/** Images a second over all steps but the first ones. */
function measure(step: typeof sposStep): number {
  steps.slice(0, warmup).forEach(step);
  operations?.start(step === sposStep ? 'spos' : 'cream', steps.length - warmup);
  const started = performance.now();
  steps.slice(warmup).forEach(step);
  const seconds = (performance.now() - started) / 1000;
  operations?.stop(seconds * 1000);
  return ((steps.length - warmup) * batchSize) / seconds;
}

function randomBatch(): Batch {
  const rng = createRng({ seed: 0, stream: 'batch', step: 0 });
  return {
    count: batchSize,
    images: normals(batchSize, 0),
    labels: Int32Array.from({ length: batchSize }, () => rng.below(space.classes)),
  };
}

function normals(count: number, step: number): Float32Array {
  const rng = createRng({ seed: 0, stream: 'images', step });
  return new Float32Array(count * space.imageSize ** 2 * 3).map(() => rng.normal());
}

/** A full board: each path with its own images and what it says about them. */
function createBoard(): Board {
  const entries = workload.board.map((path, i): BoardEntry => {
    const images = normals(probeImages, i + 1);
    const probe = { images, probabilities: predict(supernet, images, path) };
    return { path, accuracy: 0.5, batchAccuracy: 0.5, macs: 0, step: i, probe };
  });
  return { capacity: entries.length, entries };
}

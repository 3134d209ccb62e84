/** One block of the benchmark on our engine: `nni-cream-step.ts WORKLOAD.json [--profile]`. */
import { readFileSync } from 'node:fs';
import { createRng } from '../src/foundation/rng.ts';
import { openEngine } from '../src/engine/open.ts';
import type { LoadOptions } from '../src/engine/load.ts';
import type { Board, BoardEntry } from '../src/algorithms/cream/board.ts';
import { createMetaNetwork } from '../src/algorithms/cream/meta-network.ts';
import { chooseTeacher, type Teacher } from '../src/algorithms/cream/teacher.ts';
import type { Path } from '../src/searchspace/space.ts';
import { Supernet } from '../src/supernet/supernet.ts';
import { matchesOf } from '../src/algorithms/cream/probes.ts';
import { studentLoss } from '../src/algorithms/cream/loss.ts';
import type { Batch } from '../src/data/stream/batch.ts';
import { nesterovSgd } from '../src/engine/optimizer.ts';
import { predict } from '../src/supernet/inference.ts';
import { StepLearner } from '../src/training/learner.ts';
import { recordOperations } from './operations.ts';
import type { BenchStep, Workload } from './workload.ts';

const LEARNING_RATE = 0.01;
const LABEL_SMOOTHING = 0.1;

const [file = '', flag] = process.argv.slice(2);
const workload = JSON.parse(readFileSync(file, 'utf8')) as Workload;
const { space, batchSize, probeImages, threads, warmup, steps } = workload;
const options: LoadOptions = { engine: 'cpu', environment: process.env, threads };
const operations = flag === '--profile' ? await recordOperations(options) : null;
const supernet = new Supernet(await openEngine(options), space, 0);
const batch = randomBatch(batchSize, 0);
const probe = randomBatch(probeImages, 1);
const board = createBoard();
const meta = createMetaNetwork(probeImages * space.classes, 0);
const optimizer = nesterovSgd({ momentum: 0.9, weightDecay: 1e-4 });

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
  train(student, null);
}

function creamStep({ student, teacher }: BenchStep): void {
  const chosen = chooseTeacher(meta, matchesOf(supernet, board, student, probe), student);
  const entry = board.entries[teacher];
  if (chosen === null || entry === undefined) throw new Error('nobody teaches');
  train(student, { entry, rho: chosen.rho });
}

/** One update with the loss of a student. */
function train(path: Path, teacher: Pick<Teacher, 'entry' | 'rho'> | null): void {
  const clock = (): number => performance.now();
  const learner = new StepLearner({
    supernet,
    optimizer,
    clipNorm: Infinity,
    lr: LEARNING_RATE,
    clock,
  });
  const lossOf = studentLoss(supernet, batch, teacher, LABEL_SMOOTHING);
  if (!learner.update([learner.gradientsOf(path, batch, lossOf)])) throw new Error('not finite');
  learner.dispose();
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

function randomBatch(count: number, step: number): Batch {
  const pixels = createRng({ seed: 0, stream: 'images', step });
  const classes = createRng({ seed: 0, stream: 'batch', step });
  return {
    count,
    images: new Float32Array(count * space.imageSize ** 2 * 3).map(() => pixels.normal()),
    labels: Int32Array.from({ length: count }, () => classes.below(space.classes)),
  };
}

/** A full board: each path with what it says about the probe images. */
function createBoard(): Board {
  const entries = workload.board.map((path, i): BoardEntry => {
    const probabilities = predict(supernet, probe.images, path);
    return { path, accuracy: 0.5, crossEntropy: 1, macs: 0, since: i, probabilities };
  });
  return { capacity: entries.length, entries };
}

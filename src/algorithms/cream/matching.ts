import { sliceBatch, type Batch } from '../../data/stream/batch.ts';
import { createRng } from '../../foundation/rng.ts';
import { canonicalPath } from '../../searchspace/canonical.ts';
import type { Path } from '../../searchspace/space.ts';
import type { StepWork } from '../algorithm.ts';
import type { MetaNetwork } from './meta-network.ts';
import { metaStep } from './meta-step.ts';
import { matchesOf } from './probes.ts';
import type { CreamSettings } from './settings.ts';
import type { CreamState } from './state.ts';
import { bestTeacher, chooseTeacher, randomTeacher, type Teacher } from './teacher.ts';

/** A path and the images that it is trained on. */
export interface Student {
  readonly path: Path;
  readonly share: Batch;
}

/** A student among those of its step, and the images on which it is compared with the board. */
interface Seeker extends Student {
  readonly probe: Batch;
  readonly index: number;
}

/** A teacher, and the meta network as it is after the search for it. */
interface Found {
  readonly meta: MetaNetwork;
  /** Null where nobody teaches. */
  readonly teacher: Teacher | null;
}

/**
 * Finds a student's teacher. At a meta step the meta network learns from the first student before it
 * chooses.
 */
export function findTeacher(
  { meta, board, activity }: Pick<CreamState, 'meta' | 'board' | 'activity'>,
  { path, share, probe, index }: Seeker,
  { step, heldOut, learner }: StepWork,
  settings: CreamSettings,
): Found {
  const { matching, labelSmoothing, seed } = settings;
  const { supernet, lr: xi } = learner;
  const student = canonicalPath(supernet.space, path);
  if (matching === 'best') return { meta, teacher: bestTeacher(board, student) };
  if (matching === 'random') {
    const rng = createRng({ seed, stream: 'teacher', step, index });
    return { meta, teacher: randomTeacher(board, student, rng) };
  }
  const matches = matchesOf(supernet, board, path, probe);
  const teacher = chooseTeacher(meta, matches, student);
  const isMetaStep = index === 0 && step % settings.meta.interval === 0;
  if (teacher === null || !isMetaStep) return { meta, teacher };
  const { images, lr: metaLr } = settings.meta;
  const training = sliceBatch(share, 0, Math.min(images, share.count));
  const validation = heldOut.meta(activity.metaSteps, images);
  const pair = { student: path, teacher, probe, training, validation };
  const learned = metaStep(supernet, meta, pair, { xi, metaLr, labelSmoothing });
  return { meta: learned, teacher: chooseTeacher(learned, matches, student) };
}

import savedSchema from '../../../schemas/cream-state.schema.json' with { type: 'json' };
import { ArrayStock, stateInvalid } from '../../foundation/named-arrays.ts';
import { createValidator } from '../../foundation/schema.ts';
import type { SavedCream } from '../../generated/cream-state.ts';
import { isPathOf } from '../../searchspace/path.ts';
import type { SearchSpace } from '../../searchspace/space.ts';
import type { SavedState } from '../algorithm.ts';
import type { CreamState } from './state.ts';

const validateSaved = createValidator<SavedCream>({
  schema: savedSchema,
  code: 'CHECKPOINT_INVALID',
  noun: "Cream's part of a checkpoint",
  next: 'schemas/cream-state.schema.json describes it; an older checkpoint of the folder may be whole',
});

/** Cream's state as plain data. */
export function saveCream({ meta, board, applicants, activity, tally }: CreamState): SavedState {
  const { mean, square, steps } = meta;
  const values: SavedCream = {
    meta: { steps, bias: meta.bias, biasMean: mean.bias, biasSquare: square.bias },
    board: {
      capacity: board.capacity,
      entries: board.entries.map(({ probabilities: _, path, ...entry }) => ({
        path: [...path],
        ...entry,
      })),
    },
    applicants: applicants.map(({ path, ...applicant }) => ({ path: [...path], ...applicant })),
    activity,
    tally: {
      ...tally,
      teachers: tally.teachers.map(({ path, lessons }) => ({ path: [...path], lessons })),
    },
  };
  const length = [meta.weight.length];
  return {
    values: { ...values },
    arrays: [
      { name: 'meta/weight', shape: length, values: meta.weight },
      { name: 'meta/mean', shape: length, values: mean.weight },
      { name: 'meta/square', shape: length, values: square.weight },
      ...board.entries.map(({ probabilities }, i) => {
        return { name: `board/${i}`, shape: [probabilities.length], values: probabilities };
      }),
    ],
  };
}

/**
 * The state that was saved.
 *
 * @param probeImages - Images on which entries and students are compared.
 * @throws TrialError CHECKPOINT_INVALID when no Cream search of the space has such a state.
 */
export function restoreCream(
  saved: SavedState,
  space: SearchSpace,
  probeImages: number,
): CreamState {
  const { meta, board, applicants, activity, tally } = validateSaved(
    saved.values,
    'state.algorithm',
  );
  const paths = [...board.entries, ...applicants, ...tally.teachers].map(({ path }) => path);
  const stranger = paths.find((path) => !isPathOf(space, path));
  if (stranger !== undefined) {
    throw stateInvalid('state.algorithm', `paths of ${space.name}`, `[${stranger.join()}]`);
  }
  const arrays = new ArrayStock(saved.arrays);
  const inputs = [probeImages * space.classes];
  const entries = board.entries.map((entry, i) => ({
    ...entry,
    probabilities: arrays.float32(`board/${i}`, inputs),
  }));
  const weight = arrays.float64('meta/weight', inputs);
  const mean = { weight: arrays.float64('meta/mean', inputs), bias: meta.biasMean };
  const square = { weight: arrays.float64('meta/square', inputs), bias: meta.biasSquare };
  arrays.requireEmpty();
  return {
    meta: { weight, bias: meta.bias, mean, square, steps: meta.steps },
    board: { capacity: board.capacity, entries },
    applicants,
    activity,
    tally,
  };
}

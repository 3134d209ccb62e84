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
export function saveCream(
  { meta, board, activity, tally }: CreamState,
  { imageSize: size, classes }: SearchSpace,
): SavedState {
  const values: SavedCream = {
    meta: { bias: meta.bias, biasVelocity: meta.velocity.bias },
    board: {
      capacity: board.capacity,
      entries: board.entries.map(({ probe: _, path, ...entry }) => ({ path: [...path], ...entry })),
    },
    activity,
    tally,
  };
  return {
    values: { ...values },
    arrays: [
      { name: 'meta/weight', shape: [meta.weight.length], values: meta.weight },
      { name: 'meta/velocity', shape: [meta.weight.length], values: meta.velocity.weight },
      ...board.entries.flatMap(({ probe: { images, probabilities } }, i) => {
        const count = probabilities.length / classes;
        return [
          { name: `board/${i}/images`, shape: [count, size, size, 3], values: images },
          { name: `board/${i}/probabilities`, shape: [count, classes], values: probabilities },
        ];
      }),
    ],
  };
}

/**
 * The state that was saved.
 *
 * @param probeImages - Images of one entry's probe.
 * @throws TrialError CHECKPOINT_INVALID when no Cream search of the space has such a state.
 */
export function restoreCream(
  saved: SavedState,
  space: SearchSpace,
  probeImages: number,
): CreamState {
  const { meta, board, activity, tally } = validateSaved(saved.values, 'state.algorithm');
  const stranger = board.entries.find(({ path }) => !isPathOf(space, path));
  if (stranger !== undefined) {
    throw stateInvalid(
      'state.algorithm.board',
      `paths of ${space.name}`,
      `[${stranger.path.join()}]`,
    );
  }
  const arrays = new ArrayStock(saved.arrays);
  const { imageSize: size, classes } = space;
  const entries = board.entries.map((entry, i) => ({
    ...entry,
    probe: {
      images: arrays.float32(`board/${i}/images`, [probeImages, size, size, 3]),
      probabilities: arrays.float32(`board/${i}/probabilities`, [probeImages, classes]),
    },
  }));
  const inputs = [probeImages * classes];
  const weight = arrays.float64('meta/weight', inputs);
  const velocity = { weight: arrays.float64('meta/velocity', inputs), bias: meta.biasVelocity };
  arrays.requireEmpty();
  return {
    meta: { weight, bias: meta.bias, velocity },
    board: { capacity: board.capacity, entries },
    activity,
    tally,
  };
}

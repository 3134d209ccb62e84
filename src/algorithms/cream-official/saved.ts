import savedSchema from '../../../schemas/cream-official-state.schema.json' with { type: 'json' };
import { ArrayStock, stateInvalid } from '../../foundation/named-arrays.ts';
import { createValidator } from '../../foundation/schema.ts';
import type { SavedCreamOfficial } from '../../generated/cream-official-state.ts';
import { isPathOf } from '../../searchspace/path.ts';
import type { SearchSpace } from '../../searchspace/space.ts';
import type { SavedState } from '../algorithm.ts';
import type { OfficialState } from './state.ts';

const validateSaved = createValidator<SavedCreamOfficial>({
  schema: savedSchema,
  code: 'CHECKPOINT_INVALID',
  noun: "cream-official's part of a checkpoint",
  next: 'schemas/cream-official-state.schema.json describes it; an older checkpoint of the folder may be whole',
});

/** The state as plain data. */
export function saveOfficial(
  { meta, board, activity, tally }: OfficialState,
  { imageSize: size, classes }: SearchSpace,
): SavedState {
  const values: SavedCreamOfficial = {
    meta: { bias: meta.bias, biasVelocity: meta.velocity.bias },
    board: board.entries.map(({ probe: _, path, ...entry }) => ({ path: [...path], ...entry })),
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
 * @throws TrialError CHECKPOINT_INVALID when no search of the space with such a board has it.
 */
export function restoreOfficial(
  saved: SavedState,
  space: SearchSpace,
  { boardSize, probeImages }: { readonly boardSize: number; readonly probeImages: number },
): OfficialState {
  const { meta, board, activity, tally } = validateSaved(saved.values, 'state.algorithm');
  const refuse = (wanted: string, found: string): never => {
    throw stateInvalid('state.algorithm.board', wanted, found);
  };
  if (board.length > boardSize) refuse(`at most ${boardSize} paths`, String(board.length));
  const stranger = board.find(({ path }) => !isPathOf(space, path));
  if (stranger !== undefined) refuse(`paths of ${space.name}`, `[${stranger.path.join()}]`);
  const arrays = new ArrayStock(saved.arrays);
  const { imageSize: size, classes } = space;
  const entries = board.map((entry, i) => ({
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
    board: { capacity: boardSize, entries },
    activity,
    tally,
  };
}

/** Architectures of the cream family as microsoft/Cream and NNI's MobileNetV3Space write them. */
import { TrialError } from '../foundation/errors.ts';
import { CREAM_OPERATIONS, EXPANSIONS, KERNELS, creamLabel } from './cream.ts';
import type { SearchSpace } from './space.ts';

/** The 7 parts of Cream's list: stem and tail are fixed and always `[0]`. */
const FIXED_PART: readonly number[] = [0];

/** Default depth range of MobileNetV3Space; the released 481 and 604 exceed it. */
const HUB_MAX_DEPTH = 4;

/** Depth of each stage of a cream space. */
function depthsOf(space: SearchSpace): readonly number[] {
  const stageOf = (label: string): string => label.slice(0, label.indexOf('_'));
  const stages = [...new Set(space.choices.map(({ name }) => stageOf(name)))];
  return stages.map((s) => space.choices.filter(({ name }) => stageOf(name) === s).length);
}

/** Splits one value per block into one list per stage. */
function byStage<T>(depths: readonly number[], values: readonly T[]): readonly (readonly T[])[] {
  let start = 0;
  return depths.map((depth) => values.slice(start, (start += depth)));
}

/** Arguments with which NNI's MobileNetV3Space builds the skeleton of this space. */
function mobileNetV3Arguments(space: SearchSpace): object {
  const parts = space.blocks.flatMap(({ label, candidates, output }) => {
    const operation = candidates[0]?.operation;
    const leads = label === null || label.endsWith('_i0');
    if (!leads || operation === undefined || !('stride' in operation)) return [];
    return [{ width: output.channels, stride: operation.stride }];
  });
  const depths = depthsOf(space);
  const longest = Math.max(HUB_MAX_DEPTH, ...depths);
  return {
    num_labels: space.classes,
    base_widths: parts.map(({ width }) => width),
    width_multipliers: 1,
    expand_ratios: EXPANSIONS,
    bn_eps: 1e-5,
    bn_momentum: 0.1,
    squeeze_excite: Array(6).fill('force'),
    activation: Array(9).fill('swish'),
    stride: parts.map(({ stride }) => stride),
    depth_range: depths.map(() => [1, longest]),
  };
}

function mobileNetV3Sample(stages: readonly (readonly number[])[]): object {
  const sample: Record<string, number> = { stem_ks: 3, s0_i0_ks: 3 };
  stages.forEach((indices, s) => {
    sample[`s${s + 1}_depth`] = indices.length;
    indices.forEach((operation, i) => {
      const label = creamLabel(s + 1, i);
      sample[`${label}_ks`] = KERNELS[Math.floor(operation / EXPANSIONS.length)] ?? 0;
      sample[`${label}_exp`] = EXPANSIONS[operation % EXPANSIONS.length] ?? 0;
    });
  });
  return sample;
}

/**
 * Writes `arch.cream.json` and `arch.mobilenetv3.json` of a network of the cream family.
 *
 * @param names - Operation of each labelled block, in execution order.
 */
export function creamFiles(
  space: SearchSpace,
  names: readonly string[],
): readonly { readonly name: string; readonly text: string }[] {
  const depths = depthsOf(space);
  const stages = byStage(
    depths,
    names.map((name) => CREAM_OPERATIONS.indexOf(name)),
  );
  const cream = {
    arch_list: [FIXED_PART, ...stages, FIXED_PART],
    choices: { kernel_size: KERNELS, exp_ratio: EXPANSIONS },
    image_size: space.imageSize,
  };
  const hub = {
    class: 'nni.nas.hub.pytorch.MobileNetV3Space',
    init_kwargs: mobileNetV3Arguments(space),
    sample: mobileNetV3Sample(stages),
  };
  // JSON.stringify writes 1.0 as 1, which Python reads as an int that MobileNetV3Space refuses.
  const hubText = JSON.stringify(hub).replace('"width_multipliers":1,', '"width_multipliers":1.0,');
  return [
    { name: 'arch.cream.json', text: `${JSON.stringify(cream)}\n` },
    { name: 'arch.mobilenetv3.json', text: `${hubText}\n` },
  ];
}

function invalid(where: string, wanted: string, found: unknown): TrialError {
  return new TrialError('ARCHITECTURE_INVALID', {
    where,
    wanted,
    found: JSON.stringify(found),
    next: 'Correct the architecture or name the skeleton that it was made for',
  });
}

/**
 * Reads Cream's list of digits literally, also in a stage with one block.
 *
 * @param list - Untrusted: `[[0], stage 1, …, stage 5, [0]]`.
 * @returns Operation of each labelled block, in execution order.
 * @throws TrialError ARCHITECTURE_INVALID when the list does not fit the space's depths.
 */
export function namesOfCreamList(
  space: SearchSpace,
  list: unknown,
  where: string,
): readonly string[] {
  const depths = depthsOf(space);
  const stages: readonly unknown[] = Array.isArray(list) ? list.slice(1, -1) : [];
  const found = stages.map((stage) => (Array.isArray(stage) ? stage.length : 0));
  if (space.family !== 'cream' || found.join() !== depths.join()) {
    throw invalid(where, `a cream skeleton with the list's depths, not ${depths.join()}`, found);
  }
  return stages.flat().map((digit) => {
    const name = typeof digit === 'number' ? CREAM_OPERATIONS[digit] : undefined;
    if (name === undefined) throw invalid(where, 'digits 0 to 5', digit);
    return name;
  });
}

/** Text of a number; of anything else, which has no such text, nothing. */
function textOf(value: unknown): string {
  return typeof value === 'number' ? String(value) : '';
}

/**
 * Reads a sample of NNI's MobileNetV3Space.
 *
 * @param sample - Untrusted: `{s1_depth, s1_i0_ks, s1_i0_exp, …}`.
 * @returns Operation of each labelled block, in execution order.
 * @throws TrialError ARCHITECTURE_INVALID when its depths are not the space's.
 */
export function namesOfMobileNetV3(
  space: SearchSpace,
  sample: Readonly<Record<string, unknown>>,
  where: string,
): readonly string[] {
  const depths = depthsOf(space);
  const found = depths.map((_, s) => sample[`s${s + 1}_depth`]);
  if (found.some((depth, s) => depth !== depths[s])) {
    throw invalid(where, `stages of ${depths.join()} blocks`, found);
  }
  return space.choices.map(
    ({ name }) => `k${textOf(sample[`${name}_ks`])}e${textOf(sample[`${name}_exp`])}`,
  );
}

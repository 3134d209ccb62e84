import type { FeatureShape, Operation } from './space.ts';

/**
 * Rounds a width to a multiple of `divisor` without losing more than a tenth of it: the width of
 * an expansion, and of the bottleneck of squeeze-and-excitation.
 *
 * @see Howard et al., "Searching for MobileNetV3": `make_divisible` of the reference code.
 */
export function makeDivisible(width: number, divisor = 8): number {
  const nearest = Math.floor((width + divisor / 2) / divisor) * divisor;
  const rounded = Math.max(divisor, nearest);
  return rounded < 0.9 * width ? rounded + divisor : rounded;
}

/** Pixels along one side after a kernel with symmetric padding of half its size. */
function outputSize(size: number, kernel: number, stride: number): number {
  return Math.floor((size + 2 * ((kernel - 1) / 2) - kernel) / stride) + 1;
}

/** Shape of an operation's output for `input`. */
export function outputShape(operation: Operation, input: FeatureShape): FeatureShape {
  switch (operation.kind) {
    case 'pool':
      return { height: 1, width: 1, channels: input.channels };
    case 'linear':
      return { height: 1, width: 1, channels: operation.out };
    case 'conv':
    case 'separable':
    case 'inverted-residual':
    case 'identity': {
      const kernel = operation.kind === 'identity' ? 1 : operation.kernel;
      return {
        height: outputSize(input.height, kernel, operation.stride),
        width: outputSize(input.width, kernel, operation.stride),
        channels: operation.out,
      };
    }
  }
}

/** Whether two maps have the same height, width and channels. */
export function isSameShape(a: FeatureShape, b: FeatureShape): boolean {
  return a.height === b.height && a.width === b.width && a.channels === b.channels;
}

/**
 * Whether an operation keeps its input's shape: then it has a shortcut, or is the identity. The stride
 * does not decide this: on a map of 1x1 pixels every stride gives 1x1.
 */
export function keepsShape(operation: Operation, input: FeatureShape): boolean {
  return isSameShape(outputShape(operation, input), input);
}

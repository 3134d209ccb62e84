import type * as tfjs from '@tensorflow/tfjs-core';
import type { OwnKernels } from '../native-ops.ts';
import type { Ops, Tensor } from '../ops.ts';
import type { TensorFlowBackend } from '../tensorflow-backend.ts';
import { registerKernel } from './kernel.ts';

type Run = (op: string, ...inputs: Tensor[]) => Tensor;

/** Activations, bias and the gate of squeeze-and-excitation. */
export function elementwise(
  tf: typeof tfjs,
  backend: TensorFlowBackend,
  own: OwnKernels | null,
): Pick<Ops, 'relu' | 'swish' | 'hardSigmoid' | 'biasAdd' | 'gate'> {
  const run: Run = (op, ...inputs) => backend.run(op, [backend.type('T')], inputs);
  return {
    ...activations(tf, backend, run),
    swish: swishOf(tf, own ?? composedSwish(run)),
    ...channelwise(tf, backend, run),
  };
}

type SwishKernels = Pick<OwnKernels, 'swish' | 'swishGradient'>;

function swishOf(tf: typeof tfjs, { swish, swishGradient }: SwishKernels): Ops['swish'] {
  const call = registerKernel<'x', [Tensor]>(tf, {
    name: 'Swish',
    saveInputs: ['x'],
    forward: ({ x }) => swish(x),
    backward: (dy, [x]) => ({ x: () => swishGradient(dy, x) }),
  });
  return (x) => call({ x }, {});
}

/** Swish out of TensorFlow's kernels. */
function composedSwish(run: Run): SwishKernels {
  return {
    swish: (x) => run('Mul', x, run('Sigmoid', x)),
    // d(x s) = s + x s (1 - s), with SigmoidGrad(s, dy) = dy s (1 - s).
    swishGradient: (dy, x) => {
      const s = run('Sigmoid', x);
      return run('AddV2', run('Mul', dy, s), run('Mul', x, run('SigmoidGrad', s, dy)));
    },
  };
}

function activations(
  tf: typeof tfjs,
  backend: TensorFlowBackend,
  run: Run,
): Pick<Ops, 'relu' | 'hardSigmoid'> {
  const relu = registerKernel<'x', [Tensor]>(tf, {
    name: 'Relu',
    saveInputs: [],
    saveOutputs: [true],
    forward: ({ x }) => run('Relu', x),
    backward: (dy, [y]) => ({ x: () => run('ReluGrad', dy, y) }),
  });

  const hardSigmoid = registerKernel<'x', [Tensor]>(tf, {
    name: 'HardSigmoid',
    saveInputs: ['x'],
    forward: ({ x }) =>
      run('Mul', run('Relu6', run('AddV2', x, backend.scalar(3))), backend.scalar(1 / 6)),
    backward: (dy, [x]) => ({
      x: () => {
        const shifted = run('AddV2', x, backend.scalar(3));
        return run('Relu6Grad', run('Mul', dy, backend.scalar(1 / 6)), shifted);
      },
    }),
  });

  return {
    relu: (x) => relu({ x }, {}),
    hardSigmoid: (x) => hardSigmoid({ x }, {}),
  };
}

function channelwise(
  tf: typeof tfjs,
  backend: TensorFlowBackend,
  run: Run,
): Pick<Ops, 'biasAdd' | 'gate'> {
  const biasAdd = registerKernel<'x' | 'bias', []>(tf, {
    name: 'BiasAdd',
    saveInputs: [],
    forward: ({ x, bias }) => run('BiasAdd', x, bias),
    backward: (dy) => ({ x: () => run('Identity', dy), bias: () => run('BiasAddGrad', dy) }),
  });

  const gate = registerKernel<'x' | 'gate', [Tensor, Tensor]>(tf, {
    name: 'Gate',
    saveInputs: ['x', 'gate'],
    forward: (inputs) => run('Mul', inputs.x, inputs.gate),
    backward: (dy, [x, factor]) => ({
      x: () => run('Mul', dy, factor),
      gate: () => backend.reduceOverPixels('Sum', run('Mul', dy, x)),
    }),
  });

  return {
    biasAdd: (x, bias) => biasAdd({ x, bias }, {}),
    gate: (x, factor) => gate({ x, gate: factor }, {}),
  };
}

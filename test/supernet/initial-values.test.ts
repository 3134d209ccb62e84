/** The weights that a supernet starts with, by the documented rules of PyTorch and of Cream's code. */
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import type { Engine } from '../../src/engine/engine.ts';
import { createRng } from '../../src/foundation/rng.ts';
import { bindSearchSpace } from '../../src/searchspace/parse.ts';
import type { SearchSpace } from '../../src/searchspace/space.ts';
import type { Initialisation } from '../../src/supernet/layers.ts';
import { Supernet } from '../../src/supernet/supernet.ts';
import { nativeEngine } from '../support/engine.ts';
import { shippedSkeleton } from '../support/spaces.ts';

/** Deviations from an expected number, in standard errors, that still pass. */
const SIGMAS = 5;
/** Numbers of a parameter that are looked at; 3,000 tell variances that are 10 % apart. */
const MOST = 3000;

/** A distribution around 0, by its bound or by its standard deviation. */
type Rule =
  | { readonly shape: 'uniform'; readonly bound: number }
  | { readonly shape: 'normal'; readonly deviation: number };

/** Each kind of layer, by the names of its parameters. */
const KINDS = {
  'dense convolution, first': /^stem\.0\/filter$/,
  'dense convolution of a shortcut': /\/identity\/filter$/,
  'dense convolution, last': /^head\.0\/filter$/,
  'dense convolution with a bias': /^head\.2\/filter$/,
  'expansion of a block': /\/k5e4\/expand\/filter$/,
  'projection of a block': /\/project\/filter$/,
  'depthwise convolution': /\/depthwise\/filter$/,
  'squeeze of squeeze-and-excitation': /\/se\/reduce\/filter$/,
  'excitation of squeeze-and-excitation': /\/se\/expand\/filter$/,
  'linear classifier': /\/weight$/,
} as const;

/**
 * The rule for a filter `[height, width, in, out]` or a classifier `[in, out]`, from its shape alone.
 *
 * PyTorch: nn.Conv2d and nn.Linear draw from U(-sqrt(k), sqrt(k)), k = groups / (in * height * width) or
 * 1 / in. A depthwise convolution has as many groups as channels.
 * Cream, lib/utils/builder_util.py @ 4a13c40: convolutions from N(0, 2 / (height * width * out / groups)),
 * the classifier from U(-r, r), r = 1 / sqrt(out).
 */
function ruleFor(name: string, shape: readonly number[], initialisation: Initialisation): Rule {
  const isPytorch = initialisation === 'pytorch';
  const fan = fanOf(shape, { isDepthwise: name.endsWith('/depthwise/filter'), isPytorch });
  return isPytorch || shape.length === 2
    ? { shape: 'uniform', bound: Math.sqrt(1 / fan) }
    : { shape: 'normal', deviation: Math.sqrt(2 / fan) };
}

function fanOf(
  shape: readonly number[],
  { isDepthwise, isPytorch }: { isDepthwise: boolean; isPytorch: boolean },
): number {
  const [inputs = NaN, outputs = NaN] = shape.slice(-2);
  const window = shape.slice(0, -2).reduce((product, length) => product * length, 1);
  if (isDepthwise) return window;
  return window * (isPytorch ? inputs : outputs);
}

/** Numbers that should be distributed alike, and what is expected of each standardised one. */
interface Sample {
  readonly shape: Rule['shape'];
  /** Divided by the wanted standard deviation. */
  readonly values: Float64Array;
}

function standardised(values: Float32Array, rule: Rule): Sample {
  const deviation = rule.shape === 'uniform' ? rule.bound / Math.sqrt(3) : rule.deviation;
  return { shape: rule.shape, values: Float64Array.from(values, (value) => value / deviation) };
}

/** Fourth moment and share of the numbers below one standard deviation, for variance 1. */
const EXPECTED = {
  uniform: { fourth: 9 / 5, inner: 1 / Math.sqrt(3) },
  normal: { fourth: 3, inner: 0.6826894921 },
} as const;

/** What is wrong with a sample, or null. */
function misfit({ shape, values }: Sample): string | null {
  const { fourth, inner } = EXPECTED[shape];
  const count = values.length;
  const share = (of: (value: number) => number): number =>
    values.reduce((sum, value) => sum + of(value) / count, 0);
  const found = {
    mean: { value: share((x) => x), wanted: 0, error: Math.sqrt(1 / count) },
    variance: { value: share((x) => x * x), wanted: 1, error: Math.sqrt((fourth - 1) / count) },
    inner: {
      value: share((x) => (Math.abs(x) < 1 ? 1 : 0)),
      wanted: inner,
      error: Math.sqrt((inner * (1 - inner)) / count),
    },
  };
  for (const [name, { value, wanted, error }] of Object.entries(found)) {
    if (!(Math.abs(value - wanted) <= SIGMAS * error)) {
      return `${name} ${value} for ${wanted}, standard error ${error}`;
    }
  }
  const largest = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const [least, most] = shape === 'uniform' ? [0.9 * Math.sqrt(3), Math.sqrt(3) + 1e-6] : [1.8, 6];
  return largest >= least && largest <= most ? null : `largest ${largest} deviations`;
}

/** A shipped network with one candidate in all its blocks. */
function networkOf(name: string, candidate: string): SearchSpace {
  const skeleton = shippedSkeleton(name);
  const labels = skeleton.stages.flatMap((stage) => stage.labels);
  return bindSearchSpace(skeleton, new Map(labels.map((label) => [label, [candidate]])), 'test');
}

const networks = [networkOf('cream-small', 'k5e4'), networkOf('nas-bench-macro', 'identity')];

let engine: Engine;

before(async () => {
  engine = await nativeEngine();
});

interface Weights {
  readonly name: string;
  readonly shape: readonly number[];
  /** At most {@link MOST}, from all over the parameter. */
  readonly values: Float32Array;
}

/** Initial values of all parameters of both networks. */
function weightsOf(initialisation: Initialisation, seed = 1): Weights[] {
  return networks.flatMap((space) => {
    const net = new Supernet(engine, space, seed, initialisation);
    const weights = net.parameters.map(({ name, shape, value }) => {
      const all = engine.read(value);
      const count = Math.min(MOST, all.length);
      const at = (i: number): number => all[Math.floor((i * all.length) / count)]!;
      return { name, shape, values: Float32Array.from({ length: count }, (_, i) => at(i)) };
    });
    net.dispose();
    return weights;
  });
}

for (const initialisation of ['pytorch', 'official'] as const) {
  describe(`the initial values by "${initialisation}"`, () => {
    let weights: readonly Weights[];

    before(() => {
      weights = weightsOf(initialisation);
    });

    for (const [kind, pattern] of Object.entries(KINDS)) {
      it(`of every ${kind} are distributed as documented`, () => {
        const chosen = weights.filter(({ name }) => pattern.test(name));
        for (const { name, shape, values } of chosen) {
          const problem = misfit(standardised(values, ruleFor(name, shape, initialisation)));
          assert.equal(problem, null, `${name} ${shape.join('x')}`);
        }
        assert.ok(chosen.some(({ values }) => values.length > 400));
      });
    }

    it('are of a kind that is tested, or constants: scales 1, shifts and biases 0', () => {
      const patterns = Object.values(KINDS);
      const rest = weights.filter(({ name }) => patterns.every((pattern) => !pattern.test(name)));
      assert.ok(rest.length > 50);
      for (const { name, shape, values } of rest) {
        assert.match(name, /\/(gamma|beta|bias)$/);
        assert.equal(shape.length, 1, name);
        assert.deepEqual(new Set(values), new Set([name.endsWith('gamma') ? 1 : 0]), name);
      }
    });

    it('are drawn for each parameter and each seed anew, and again the same', () => {
      const drawn = weights.filter(({ shape }) => shape.length > 1);
      const firsts = drawn.map(({ values, name, shape }) => {
        const rule = ruleFor(name, shape, initialisation);
        return standardised(values.slice(0, 1), rule).values[0]!.toPrecision(5);
      });
      assert.ok(new Set(firsts).size > 0.95 * firsts.length, 'one start for several parameters');
      for (const { name, values } of drawn) {
        assert.ok(new Set(values).size > 0.9 * values.length, `${name} repeats itself`);
      }
      assert.deepEqual(weightsOf(initialisation), weights);
      const others = weightsOf(initialisation, 2).filter(({ shape }) => shape.length > 1);
      others.forEach(({ name, values }, i) => {
        assert.notDeepEqual(values, drawn[i]!.values, name);
      });
    });
  });
}

describe('the check of a distribution', () => {
  const rng = createRng({ seed: 1, stream: 'planted', step: 0 });
  const draw = (next: () => number): Float32Array => new Float32Array(MOST).map(next);
  const uniform = draw(() => 0.1 * (2 * rng.uniform() - 1));
  const normal = draw(() => 0.1 * rng.normal());

  it('takes what follows the rule', () => {
    assert.equal(misfit(standardised(uniform, { shape: 'uniform', bound: 0.1 })), null);
    assert.equal(misfit(standardised(normal, { shape: 'normal', deviation: 0.1 })), null);
  });

  it('tells a bound or a deviation that is a tenth off, and the other shape of the same variance', () => {
    for (const factor of [0.9, 1.1]) {
      assert.match(misfit(standardised(uniform, { shape: 'uniform', bound: 0.1 * factor }))!, /variance/); // prettier-ignore
      assert.match(misfit(standardised(normal, { shape: 'normal', deviation: 0.1 * factor }))!, /variance/); // prettier-ignore
    }
    const deviation = 0.1 / Math.sqrt(3);
    assert.notEqual(misfit(standardised(uniform, { shape: 'normal', deviation })), null);
    assert.notEqual(misfit(standardised(normal, { shape: 'uniform', bound: 0.1 * Math.sqrt(3) })), null); // prettier-ignore
    assert.match(misfit(standardised(uniform.map(Math.abs), { shape: 'uniform', bound: 0.1 }))!, /mean/); // prettier-ignore
  });
});

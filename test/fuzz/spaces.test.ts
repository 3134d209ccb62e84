import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { NetworkSkeleton } from '../../src/generated/network-skeleton.ts';
import { architectureFiles, parseArchitecture } from '../../src/searchspace/architecture.ts';
import { pathCost } from '../../src/searchspace/cost.ts';
import { PUBLISHED_NAMES } from '../../src/searchspace/cream.ts';
import { macsBudget } from '../../src/searchspace/budget.ts';
import { feasibility } from '../../src/searchspace/feasibility.ts';
import { bindSearchSpace, fullSpace, parseNasSpace, parseSkeleton } from '../../src/searchspace/parse.ts'; // prettier-ignore
import { pathCode, spaceSize } from '../../src/searchspace/path.ts';
import type { Path, SearchSpace } from '../../src/searchspace/space.ts';
import { parseDocument } from '../../src/foundation/documents.ts';
import { creamSpace, shippedSkeleton } from '../support/spaces.ts';
import { documents, garbage, INHERITED, texts } from './inputs.ts';
import { checkProperty, checkShares } from './property.ts';

const SHIPPED = ['cream', 'cream-small', 'nas-bench-macro'] as const;

/** A network whose name, labels and candidates are all names that every object inherits. */
const inheritedNames: NetworkSkeleton = {
  ...shippedSkeleton('nas-bench-macro'),
  name: '__proto__',
  family: 'other',
  candidates: INHERITED.map((name, i) => ({
    kind: 'inverted-residual',
    name,
    kernel: 3,
    expansion: i + 1,
  })) as unknown as NetworkSkeleton['candidates'],
  stages: [{ labels: INHERITED as [string, ...string[]], width: 16, stride: 2 }],
};

const skeletons: readonly NetworkSkeleton[] = [...SHIPPED.map(shippedSkeleton), inheritedNames];

/** Any network of a space, by a number. */
function pathOf({ choices }: SearchSpace, seed: number): Path {
  return choices.map(({ candidates }, i) => (seed >> (i % 24)) % candidates.length);
}

/** The space file of a skeleton in one of NNI's two forms. */
function spaceFileOf(skeleton: NetworkSkeleton, type: 'choice' | 'layer_choice'): unknown {
  const _value = skeleton.candidates.map(({ name }) => name);
  const labels = skeleton.stages.flatMap((stage) => stage.labels);
  return Object.fromEntries(labels.map((label) => [label, { _type: type, _value }]));
}

/** What a search does with a space before it trains, and every written form read back. */
function useSpace(space: SearchSpace, seed: number): void {
  const path = pathOf(space, seed);
  assert.ok(Number.isFinite(pathCost(space, path).macs));
  assert.ok(spaceSize(space) >= 1n);
  for (const { text, name } of architectureFiles(space, path)) {
    assert.deepEqual(parseArchitecture(space, JSON.parse(text), name), path, name);
  }
  const code = pathCode(space, path);
  if (code !== null) assert.deepEqual(parseArchitecture(space, code, 'code'), path);
  const { largest, share } = feasibility(
    space,
    macsBudget(space, { minMacs: 0, maxMacs: 2 ** (seed % 64) }),
  );
  assert.ok(largest.macs > 0 && share >= 0 && share <= 1);
}

describe('hostile search spaces', () => {
  const inputs = fc.constantFrom(...skeletons).chain((skeleton) => {
    const forms = [spaceFileOf(skeleton, 'choice'), spaceFileOf(skeleton, 'layer_choice')];
    const text = texts(documents(fc.constantFrom(...forms)));
    return fc.record({ skeleton: fc.constant(skeleton), text, seed: fc.nat() });
  });

  it('are bound to their skeleton or refused', () => {
    const outcomes = checkProperty({
      inputs,
      cases: 1000,
      codes: ['SEARCH_SPACE_INVALID', 'BUDGET_UNREACHABLE'],
      attempt: ({ skeleton, text, seed }) => {
        const labels = parseNasSpace(parseDocument(text, 'space', 'SEARCH_SPACE_INVALID'), 'space');
        useSpace(bindSearchSpace(skeleton, labels, 'space'), seed);
      },
    });
    checkShares(outcomes, 0.1);
  });
});

describe('hostile skeletons', () => {
  it('are resolved to a space that can be priced, or refused', () => {
    const text = texts(documents(fc.constantFrom<unknown>(...skeletons)));
    const outcomes = checkProperty({
      inputs: fc.record({ text, seed: fc.nat() }),
      cases: 1000,
      codes: ['SKELETON_INVALID', 'BUDGET_UNREACHABLE'],
      attempt: ({ text, seed }) => {
        const document = parseDocument(text, 'skeleton', 'SKELETON_INVALID');
        useSpace(fullSpace(parseSkeleton(document, 'skeleton')), seed);
      },
    });
    checkShares(outcomes, 0.1);
  });
});

describe('hostile architectures', () => {
  const spaces = [...skeletons.map(fullSpace), creamSpace([1, 2, 2, 1, 1])];

  it('in any form are read as the network that they name, or refused', () => {
    const inputs = fc.tuple(fc.constantFrom(...spaces), fc.nat()).chain(([space, seed]) => {
      const files = architectureFiles(space, pathOf(space, seed));
      const forms = files.map(({ text }) => JSON.parse(text) as unknown);
      const tuner = Object.fromEntries(
        space.choices.map(({ name, candidates }) => [
          name,
          { _value: candidates[0]?.name, _idx: 0 },
        ]),
      );
      const written = [...forms, { best: { sample: forms[0] } }, { sample: forms[0] }, tuner];
      const text = texts(documents(fc.constantFrom(...written)));
      return fc.record({ space: fc.constant(space), text });
    });
    const outcomes = checkProperty({
      inputs,
      cases: 1000,
      codes: ['ARCHITECTURE_INVALID'],
      attempt: ({ space, text }) => {
        const document = parseDocument(text, 'arch', 'ARCHITECTURE_INVALID');
        const path = parseArchitecture(space, document, 'arch');
        assert.ok(pathCost(space, path).macs > 0);
      },
    });
    checkShares(outcomes, 0.1);
  });

  it('as codes and names are read digit by digit, or refused', () => {
    const digits = fc.string({
      unit: fc.constantFrom('0', '1', '2', '0', '1', '2', '3', '5', '9'),
      maxLength: 30,
    });
    const inputs = fc.constantFrom(...spaces).chain((space) => {
      const own = fc.nat().map((seed) => pathCode(space, pathOf(space, seed)) ?? '');
      const names = fc.constantFrom(...PUBLISHED_NAMES, ...INHERITED);
      const blank = own.map((code) => code.replace('0', ' '));
      const text = fc.oneof(own, own, digits, names, blank, garbage);
      return fc.record({ space: fc.constant(space), text });
    });
    const outcomes = checkProperty({
      inputs,
      cases: 1500,
      codes: ['ARCHITECTURE_INVALID'],
      attempt: ({ space, text }) => {
        const path = parseArchitecture(space, text, '--arch');
        if (!PUBLISHED_NAMES.includes(text)) assert.equal(pathCode(space, path), text);
      },
    });
    checkShares(outcomes, 0.1);
  });
});

/** Runs one property over many inputs: accepted, or refused with a documented error, in time. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { ERROR_CODES, TrialError, type ErrorCode } from '../../src/foundation/errors.ts';

/** Set FUZZ_SEED to draw other inputs, and FUZZ_SCALE to draw more of them. */
const SEED = Number(process.env['FUZZ_SEED'] ?? 20_260_101);
const SCALE = Number(process.env['FUZZ_SCALE'] ?? 1);
console.log(`FUZZ_SEED=${SEED} FUZZ_SCALE=${SCALE}`);

/** Far above what any input takes; a search for its cause beats a hang. */
const LIMIT_MS = 5000;

/** Inputs that the product took, and those that it refused. */
export interface Outcomes {
  readonly accepted: number;
  readonly refused: number;
}

export interface Property<T> {
  readonly inputs: fc.Arbitrary<T>;
  readonly cases: number;
  /** Codes that a refusal may have. */
  readonly codes: readonly ErrorCode[];
  /** Hands the input to the product and checks what it makes of it. */
  readonly attempt: (input: T) => void;
}

const PROTOTYPES = [Object.prototype, Array.prototype, Function.prototype].map((prototype) => ({
  prototype,
  keys: Reflect.ownKeys(prototype),
}));

/** No input may leave a trace on what all objects inherit. */
function checkPrototypes(): void {
  for (const { prototype, keys } of PROTOTYPES) assert.deepEqual(Reflect.ownKeys(prototype), keys);
}

/** Whether an input was accepted; every throw but an expected TrialError is passed on. */
function isAccepted<T>({ attempt, codes }: Property<T>, input: T): boolean {
  try {
    attempt(input);
    return true;
  } catch (thrown) {
    if (!(thrown instanceof TrialError)) throw thrown;
    assert.ok(ERROR_CODES.includes(thrown.code) && codes.includes(thrown.code), thrown.code);
    assert.ok(thrown.message.length < 20_000, 'the message can be read');
    return false;
  }
}

/** Checks a property; the failure that it throws names the seed and the smallest input found. */
export function checkProperty<T>(property: Property<T>): Outcomes {
  const outcomes = { accepted: 0, refused: 0 };
  const check = fc.property(property.inputs, (input) => {
    const begin = performance.now();
    outcomes[isAccepted(property, input) ? 'accepted' : 'refused']++;
    assert.ok(performance.now() - begin < LIMIT_MS, 'takes too long');
    checkPrototypes();
  });
  const numRuns = Math.ceil(property.cases * SCALE);
  fc.assert(check, { seed: SEED, numRuns });
  assert.equal(outcomes.accepted + outcomes.refused, numRuns);
  return outcomes;
}

/** Both outcomes must be frequent: inputs that are all alike show nothing. */
export function checkShares({ accepted, refused }: Outcomes, leastShare: number): void {
  const least = leastShare * (accepted + refused);
  assert.ok(accepted >= least && refused >= least, `${accepted} accepted, ${refused} refused`);
}

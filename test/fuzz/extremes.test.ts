import assert from 'node:assert/strict';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { parse, stringify } from 'yaml';
import configSchema from '../../schemas/trial-config.schema.json' with { type: 'json' };
import { systemMemory, systemTimers } from '../../src/cli/system.ts';
import { lintFiles } from '../../src/cli/lint.ts';
import { TrialError } from '../../src/foundation/errors.ts';
import type { Emit } from '../../src/training/events.ts';
import { runTrial } from '../../src/trial/entry.ts';
import { writeTinySearch, type TinySearch } from '../e2e/support.ts';

/** Steps after which a search has shown what it can: eight are a whole one of the least config. */
const ENOUGH_STEPS = 12;

interface NumberSchema {
  readonly type?: unknown;
  readonly minimum?: number;
  readonly exclusiveMinimum?: number;
  readonly maximum?: number;
  readonly exclusiveMaximum?: number;
  readonly properties?: Readonly<Record<string, NumberSchema>>;
}

/** Every number of a schema by its dotted key. */
function numbersOf(schema: NumberSchema, prefix = ''): (readonly [string, NumberSchema])[] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, property]) =>
    property.type === 'integer' || property.type === 'number'
      ? [[`${prefix}${name}`, property] as const]
      : numbersOf(property, `${prefix}${name}.`),
  );
}

/** The least and the greatest legal value. */
function extremesOf(key: string, schema: NumberSchema): readonly [number, number] {
  const least = schema.minimum ?? (schema.exclusiveMinimum === 0 ? Number.MIN_VALUE : NaN);
  const most = schema.maximum ?? (schema.exclusiveMaximum === 1 ? 1 - Number.EPSILON / 2 : NaN);
  assert.ok(Number.isFinite(least) && Number.isFinite(most), `${key} has no bounds`);
  return [least, most];
}

// The engine's threads are set once a process.
const NUMBERS = numbersOf(configSchema as NumberSchema).filter(([key]) => key !== 'threads');

class Enough extends Error {}

describe('every number of a trial config', () => {
  let tiny: TinySearch;
  let config: Record<string, Record<string, unknown>>;

  before(async () => {
    tiny = await writeTinySearch({
      epochs: 2,
      metaInterval: 1,
      metaImages: undefined,
      baselinePaths: 1,
    });
    config = parse(await readFile(tiny.config, 'utf8')) as typeof config;
  });
  after(() => rm(tiny.folder, { recursive: true }));

  /** Puts values at dotted keys of the least config. */
  async function write(values: Readonly<Record<string, unknown>>): Promise<string> {
    const changed: Record<string, unknown> = structuredClone(config);
    for (const [key, value] of Object.entries(values)) {
      const [name = '', inner] = key.split('.');
      changed[name] = inner === undefined ? value : { ...config[name], [inner]: value };
    }
    const file = join(tiny.folder, 'extreme.yml');
    await writeFile(file, stringify(changed));
    return file;
  }

  /** Counts the steps of a search that ends, or takes enough of them. */
  async function train(configFile: string): Promise<number> {
    let steps = 0;
    const progress: Emit = ({ kind }) => {
      if (kind === 'step' && ++steps >= ENOUGH_STEPS) throw new Enough();
    };
    const silent = { write: () => true, isTTY: false };
    const output = join(tiny.folder, 'result');
    try {
      await runTrial(
        { configFile, output, present: 'throw-away', progress: () => progress },
        {
          variables: { ...process.env, NNI_PLATFORM: '' },
          stdout: silent,
          stderr: silent,
          process,
          clock: () => performance.now(),
          now: () => new Date(),
          timers: systemTimers,
          memory: systemMemory,
        },
      );
    } catch (thrown) {
      // A learning rate of 100 may end a search, but not before it has begun.
      const isDiverged = thrown instanceof TrialError && thrown.code === 'LOSS_NOT_FINITE';
      if (!(thrown instanceof Enough) && !isDiverged) throw thrown;
    }
    return steps;
  }

  /** Whether lint accepts a config; what it accepts must train. */
  async function isAccepted(values: Readonly<Record<string, unknown>>): Promise<boolean> {
    const file = await write(values);
    const [linted] = await lintFiles([file]);
    assert.ok(linted);
    if (!linted.ok) return false;
    const steps = await train(file);
    assert.ok(steps >= 1, JSON.stringify(values));
    return true;
  }

  it('has a least and a greatest value', () => {
    assert.ok(NUMBERS.length >= 25, String(NUMBERS.length));
    for (const [key, schema] of NUMBERS) extremesOf(key, schema);
  });

  it('trains at either of them, or lint refuses it', async () => {
    const refused: string[] = [];
    for (const [key, schema] of NUMBERS) {
      for (const value of extremesOf(key, schema)) {
        const isFine = await isAccepted({ [key]: value });
        if (!isFine) refused.push(`${key}: ${value}`);
      }
    }
    assert.deepEqual(refused, [
      'data.maxImages: 1',
      'batchSize: 65536',
      'warmupSteps: 1000000000',
      'probeImages: 65536',
      'metaImages: 65536',
      'warmupEpochs: 100000',
      'minMacs: 1000000000000000',
      `maxMacs: ${Number.MIN_VALUE}`,
      'minParams: 1000000000000000',
      `maxParams: ${Number.MIN_VALUE}`,
    ]);
  });

  it('trains at a prior of the least and the greatest weight', async () => {
    const prior = { identity: 1e9, mb3_k3: Number.MIN_VALUE };
    assert.ok(await isAccepted({ prior }));
  });
});

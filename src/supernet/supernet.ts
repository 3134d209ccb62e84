import type { Engine } from '../engine/engine.ts';
import type { Tensor } from '../engine/ops.ts';
import type { Parameter } from '../engine/parameter.ts';
import { createRng } from '../foundation/rng.ts';
import type { Path, SearchSpace } from '../searchspace/space.ts';
import {
  chain,
  initialValues,
  type Initialisation,
  type Module,
  type ParameterFactory,
  type Pass,
} from './layers.ts';
import { buildOperation } from './operations.ts';
import { Statistics } from './statistics.ts';

/** Weight of the newest batch in the running statistics (PyTorch's momentum). */
export const RUNNING_FACTOR = 0.1;

/** Options of a forward pass. */
export interface PassOptions {
  readonly normalisation?: Pass['normalisation'];
  readonly weightOf?: Pass['weightOf'];
}

/** The weight that a forward pass uses where nothing else is said. */
export const valueOf: Pass['weightOf'] = (parameter) => parameter.value;

/**
 * All candidates of all blocks, each with its own weights. Holds no current path: a path is an argument
 * of every call. Owns its tensors.
 */
export class Supernet {
  readonly engine: Engine;
  readonly space: SearchSpace;
  /** All parameters in a fixed order. */
  readonly parameters: readonly Parameter[];
  /** Running statistics of every batch norm that has been trained. */
  readonly running: Statistics;
  /** One list of candidate modules for each block of the space. */
  readonly #blocks: readonly (readonly Module[])[];

  constructor(
    engine: Engine,
    space: SearchSpace,
    seed: number,
    initialisation: Initialisation = 'pytorch',
  ) {
    this.engine = engine;
    this.space = space;
    this.running = new Statistics(engine);
    const make = parameterFactory(engine, seed, initialisation);
    this.#blocks = space.blocks.map((block) =>
      block.candidates.map(({ name, operation }) => {
        const site = { make, name: block.label === null ? block.name : `${block.name}/${name}` };
        return buildOperation(operation, block.input, site);
      }),
    );
    this.parameters = this.#blocks.flatMap((modules) => modules.flatMap((m) => m.parameters));
  }

  /**
   * Logits of one path. Without options it normalises by the batch and records nothing.
   *
   * @param images - `float32 [batch, size, size, 3]`.
   * @returns `float32 [batch, classes]`. The caller owns it.
   */
  forward(images: Tensor, path: Path, options: PassOptions = {}): Tensor {
    const pass: Pass = {
      engine: this.engine,
      normalisation: { by: 'batch' },
      weightOf: valueOf,
      ...options,
    };
    return this.engine.scope(() => chain(this.#modulesOf(path), images, pass));
  }

  /** The parameters that a path uses, fixed blocks included, in a fixed order. */
  parametersOf(path: Path): readonly Parameter[] {
    return this.#modulesOf(path).flatMap((module) => module.parameters);
  }

  /** Live tensors that it owns: values, optimizer slots and running statistics. */
  tensorCount(): number {
    const slots = this.parameters.reduce((count, parameter) => count + parameter.slots.length, 0);
    return this.parameters.length + slots + 2 * this.running.size;
  }

  dispose(): void {
    this.engine.dispose(this.parameters.flatMap(({ value, slots }) => [value, ...slots]));
    this.running.dispose();
  }

  #modulesOf(path: Path): readonly Module[] {
    let choice = 0;
    return this.space.blocks.map((block, i) => {
      const index = block.label === null ? 0 : path[choice++];
      const module = index === undefined ? undefined : this.#blocks[i]?.[index];
      if (module === undefined) throw new RangeError(`${block.name}: no candidate ${index ?? '?'}`);
      return module;
    });
  }
}

function parameterFactory(
  engine: Engine,
  seed: number,
  initialisation: Initialisation,
): ParameterFactory {
  return (name, shape, kind) => {
    const count = shape.reduce((product, length) => product * length, 1);
    const rng = createRng({ seed, stream: `initialise ${name}`, step: 0 });
    const values = initialValues(kind, count, { rng, initialisation });
    return {
      name,
      shape,
      decayed: shape.length >= 2,
      value: engine.keep(engine.tensor(values, shape)),
      slots: [],
    };
  };
}

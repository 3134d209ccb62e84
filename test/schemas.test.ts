import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { describe, it } from 'node:test';
import { Ajv } from 'ajv';
import { parseNasSpace, parseSkeleton } from '../src/searchspace/parse.ts';
import { readJson, ROOT } from './support/spaces.ts';

type Node = Readonly<Record<string, unknown>>;

const files = readdirSync(`${ROOT}/schemas`).filter((name) => name.endsWith('.schema.json'));

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null;
}

/** Every object in a schema with its JSON path. */
function* nodesOf(node: Node, path: string): Generator<readonly [string, Node]> {
  yield [path, node];
  for (const [key, value] of Object.entries(node)) {
    if (isNode(value)) yield* nodesOf(value, `${path}/${key}`);
  }
}

/** Every property that a schema declares with its JSON path. */
function* propertiesOf(schema: Node, file: string): Generator<readonly [string, Node]> {
  for (const [path, { properties }] of nodesOf(schema, file)) {
    if (!isNode(properties)) continue;
    for (const [name, property] of Object.entries(properties)) {
      if (isNode(property)) yield [`${path}/properties/${name}`, property];
    }
  }
}

/** What a property that only points to a definition points to. */
function resolve(schema: Node, property: Node): Node {
  const [inherited] = Array.isArray(property['allOf']) ? (property['allOf'] as Node[]) : [property];
  const reference = inherited?.['$ref'];
  if (typeof reference !== 'string') return property;
  const names = reference.split('/').slice(1);
  const target = names.reduce<unknown>((node, name) => isNode(node) && node[name], schema);
  assert.ok(isNode(target), `${reference} leads nowhere`);
  return target;
}

describe('the schemas', () => {
  for (const file of files) {
    const schema = readJson(`schemas/${file}`) as Node;

    it(`describe every property of ${file}`, () => {
      let count = 0;
      for (const [path, property] of propertiesOf(schema, file)) {
        const { description } = resolve(schema, property);
        assert.ok(typeof description === 'string' && description.length > 0, path);
        assert.match(description, /\.$/, path);
        count++;
      }
      assert.ok(count > 0);
    });

    // NNI's own messages may gain keys in a later version; our files may not.
    const mayBeOpen = file.startsWith('nni-');
    it(`close every object of ${file} that lists its properties`, () => {
      for (const [path, node] of nodesOf(schema, file)) {
        if (isNode(node['properties']) && node['type'] !== undefined) {
          const open = node['additionalProperties'];
          const isTyped = isNode(open) && open['type'] !== undefined;
          assert.ok(open === false || isTyped || (open === true && mayBeOpen), path);
        }
      }
    });

    it(`compile ${file} under Ajv's strict mode`, () => {
      new Ajv({
        strict: true,
        discriminator: true,
        allowUnionTypes: true,
        useDefaults: true,
      }).compile(schema);
    });
  }

  it('have types that are in sync', () => {
    execFileSync(process.execPath, ['--import', 'tsx', 'scripts/generate-types.ts', '--check'], {
      cwd: ROOT,
    });
  });
});

describe('the files in nni-config', () => {
  it('are valid skeletons and NNI spaces', () => {
    const skeletons = readdirSync(`${ROOT}/nni-config/skeletons`);
    const spaces = readdirSync(`${ROOT}/nni-config/spaces`);
    for (const name of skeletons) {
      assert.equal(
        parseSkeleton(readJson(`nni-config/skeletons/${name}`), name).$schema,
        '../../schemas/network-skeleton.schema.json',
      );
    }
    for (const name of spaces) {
      assert.ok(parseNasSpace(readJson(`nni-config/spaces/${name}`), name).size > 0);
    }
    assert.deepEqual(skeletons, spaces);
  });
});

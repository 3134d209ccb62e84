/**
 * schemas/ -> docs/reference/configuration.md, and the declarations of the metrics ->
 * docs/reference/metrics.md; with --check it only says whether they are stale.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { format, resolveConfig } from 'prettier';
import type { MetricDeclaration } from '../src/algorithms/algorithm.ts';
import { ALGORITHMS } from '../src/algorithms/registry.ts';
import { COMMON_METRICS } from '../src/training/report.ts';

const ROOT = join(import.meta.dirname, '..');
const CONFIGURATION = 'docs/reference/configuration.md';
const METRICS = 'docs/reference/metrics.md';

/** What a user writes by hand, in the order of the page; results and messages are the program's. */
const FILES = [
  { title: 'Trial config', schema: 'trial-config' },
  { title: 'Network skeleton', schema: 'network-skeleton' },
  { title: 'Search space of the network', schema: 'search-space' },
  { title: 'Study', schema: 'study' },
] as const;

const INTRODUCTION = `<!-- Generated from schemas/ by \`npm run reference\`: do not edit. -->

# Configuration

Every key of the three files that a search reads, and of a study, each JSON, or YAML without anchors, aliases and tags.
A file has at most 16 Mi characters, 500,000 tokens and 64 levels. No other key is legal. A dash
under _default_ means that nothing is assumed; the description says what happens without the key.
How the files fit together: [Write a search space](../guides/write-a-search-space.md).`;

const TUNER_NOTE = `The tuner of an NNI experiment may set these keys too, all but those that say what the file is or where
to write: \`$schema\`, \`version\`, \`task\`, \`skeleton\`, \`space\`, \`data.cache\`, \`output\`,
\`resumeFrom\`, \`supernet\`, \`arch\`, \`rank.table\`.
A key of the experiment's search space is the key as it stands here, such as \`seed\` or \`data.jitter\`.`;

/** The part of JSON Schema that the schemas use for files written by hand. */
interface Schema {
  readonly $ref?: string;
  readonly allOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly title?: string;
  readonly description?: string;
  readonly type?: string | readonly string[];
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly default?: unknown;
  readonly items?: Schema;
  readonly minimum?: number;
  readonly exclusiveMinimum?: number;
  readonly maximum?: number;
  readonly exclusiveMaximum?: number;
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly definitions?: Readonly<Record<string, Schema>>;
}

type Definitions = Readonly<Record<string, Schema>>;

/** Puts what a reference points to in its place; what stands beside the reference wins. */
function resolve({ $ref, allOf = [], ...own }: Schema, definitions: Definitions): Schema {
  const target = $ref === undefined ? {} : definitions[$ref.replace('#/definitions/', '')];
  const parts = [target ?? {}, ...allOf.map((part) => resolve(part, definitions)), own];
  return Object.assign({}, ...parts) as Schema;
}

const code = (value: unknown): string => `\`${JSON.stringify(value)}\``;

function bounds(schema: Schema): string {
  const { minimum, exclusiveMinimum, maximum, exclusiveMaximum } = schema;
  const limits = [
    minimum === undefined ? [] : [`from ${minimum}`],
    exclusiveMinimum === undefined ? [] : [`above ${exclusiveMinimum}`],
    maximum === undefined || maximum === Number.MAX_SAFE_INTEGER ? [] : [`to ${maximum}`],
    exclusiveMaximum === undefined ? [] : [`below ${exclusiveMaximum}`],
  ].flat();
  return limits.length === 0 ? '' : ` ${limits.join(' ')}`;
}

function typeOf(schema: Schema, definitions: Definitions): string {
  const { enum: values, type, items } = schema;
  if (schema.const !== undefined) return code(schema.const);
  if (values !== undefined) return values.map(code).join(', ');
  const names = [type ?? 'any'].flat().map((name) => {
    return name === 'array' && items !== undefined ? listOf(items, definitions) : name;
  });
  return `${names.join(' or ')}${bounds(schema)}`;
}

function listOf(items: Schema, definitions: Definitions): string {
  const { $ref } = items;
  const item = resolve(items, definitions);
  const isObject = item.properties !== undefined || item.oneOf !== undefined;
  if ($ref === undefined || !isObject) return `list of ${typeOf(item, definitions)}`;
  const name = $ref.replace('#/definitions/', '');
  return `list of [${name}](#${name.toLowerCase()})`;
}

/** One row a key; the keys of a group follow it under their dotted names. */
function rowsOf(schema: Schema, definitions: Definitions, prefix = ''): string[] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, property]) => {
    const resolved = resolve(property, definitions);
    if (resolved.properties !== undefined) {
      return rowsOf(resolved, definitions, `${prefix}${name}.`);
    }
    const initial = schema.required?.includes(name) ? 'required' : '–';
    const cells = [
      `\`${prefix}${name}\``,
      typeOf(resolved, definitions),
      resolved.default === undefined ? initial : code(resolved.default),
      resolved.description ?? '',
    ];
    return [`| ${cells.join(' | ')} |`];
  });
}

function tableOf(schema: Schema, definitions: Definitions): string[] {
  const rows = rowsOf(schema, definitions);
  if (rows.length === 0) return [];
  return [['| key | type | default | meaning |', '| --- | --- | --- | --- |', ...rows].join('\n')];
}

/** A definition of an object, or of several that their first key tells apart. */
function definitionOf(name: string, schema: Schema, definitions: Definitions): string[] {
  const variants = (schema.oneOf ?? []).filter((variant) => variant.properties !== undefined);
  const objects = schema.properties === undefined ? variants : [schema];
  if (objects.length === 0) return [];
  return [
    `### ${name}`,
    schema.description ?? '',
    ...objects.flatMap((object) => [
      ...(object === schema ? [] : [`**${tagOf(object)}**: ${object.description ?? ''}`]),
      ...tableOf(object, definitions),
    ]),
  ];
}

function tagOf({ properties = {} }: Schema): string {
  return code(Object.values(properties)[0]?.const);
}

async function section({ title, schema: name }: (typeof FILES)[number]): Promise<string[]> {
  const file = `schemas/${name}.schema.json`;
  const schema = JSON.parse(await readFile(join(ROOT, file), 'utf8')) as Schema;
  const definitions = schema.definitions ?? {};
  return [
    `## ${title}`,
    `${schema.description ?? ''} Schema: [${file}](../../${file}).`,
    ...(name === 'trial-config' ? [TUNER_NOTE] : []),
    ...tableOf(schema, definitions),
    ...Object.entries(definitions).flatMap(([key, value]) => definitionOf(key, value, definitions)),
  ];
}

const METRICS_INTRODUCTION = `<!-- Generated from the declarations in src/ by \`npm run reference\`: do not edit. -->

# Metrics

What a search reports at the end of each epoch, and once more as its result: the same keys throughout a
run, all finite. NNI gets them as they stand here; \`metrics.jsonl\` in the output folder holds one line for
each report, with these keys, which \`pandas.read_json(path, lines=True)\` reads.`;

function metricsTable(metrics: readonly MetricDeclaration[]): string {
  const rows = metrics.map(({ key, unit, meaning }) => `| \`${key}\` | ${unit} | ${meaning} |`);
  return ['| key | unit | meaning |', '| --- | --- | --- |', ...rows].join('\n');
}

function metricsPage(): string {
  return [
    METRICS_INTRODUCTION,
    '## Every algorithm',
    metricsTable(COMMON_METRICS),
    ...Object.entries(ALGORITHMS).flatMap(([name, { metrics, paper }]) => [
      `## ${name}`,
      `${paper}.`,
      metricsTable(metrics),
    ]),
  ].join('\n\n');
}

/** Writes a page, or complains when it is not what it should be. */
async function publish(target: string, text: string, check: boolean): Promise<void> {
  const file = join(ROOT, target);
  const page = await format(text, { ...(await resolveConfig(file)), parser: 'markdown' });
  const present = await readFile(file, 'utf8').catch(() => null);
  if (present === page) return;
  if (check) {
    console.error(`stale: ${target} (run: npm run reference)`);
    process.exitCode = 1;
  } else {
    await writeFile(file, page);
  }
}

async function main(check: boolean): Promise<void> {
  const sections = await Promise.all(FILES.map(section));
  await publish(CONFIGURATION, [INTRODUCTION, ...sections.flat()].join('\n\n'), check);
  await publish(METRICS, metricsPage(), check);
}

await main(process.argv.includes('--check'));

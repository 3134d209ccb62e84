/** schemas/*.schema.json -> src/generated/*.ts; with --check it only says which files are stale. */
import { readFile, readdir, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { compile } from 'json-schema-to-typescript';

const SCHEMAS = join(import.meta.dirname, '../schemas');
const GENERATED = join(import.meta.dirname, '../src/generated');
const SUFFIX = '.schema.json';

/**
 * Marks defaulted properties as required: the schema stays honest for a writer, who may omit them,
 * while the type describes the value after Ajv has filled them in. Of properties without a name it
 * says nothing where named ones are of another type: TypeScript would demand the same type of all.
 */
function typedForm(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(typedForm);
  if (typeof node !== 'object' || node === null) return node;
  const copy = Object.fromEntries(
    Object.entries(node).map(([key, value]) => [key, typedForm(value)]),
  );
  const properties = copy['properties'];
  if (typeof properties !== 'object' || properties === null) return copy;
  const defaulted = Object.entries(properties)
    .filter(([, property]) => Object.hasOwn(property as object, 'default'))
    .map(([name]) => name);
  const required = (copy['required'] ?? []) as string[];
  if (!agreesWithAll(copy['additionalProperties'], properties)) copy['additionalProperties'] = true;
  return { ...copy, required: [...new Set([...required, ...defaulted])] };
}

/** Whether properties without a name may not exist, or are of the type of all that have one. */
function agreesWithAll(additional: unknown, properties: object): boolean {
  if (additional === false) return true;
  const typeOf = (schema: unknown): unknown => (Object(schema) as { type?: unknown }).type;
  const type = typeOf(additional);
  return type !== undefined && Object.values(properties).every((each) => typeOf(each) === type);
}

async function generate(file: string): Promise<string> {
  const schema: unknown = JSON.parse(await readFile(join(SCHEMAS, file), 'utf8'));
  return compile(typedForm(schema) as Parameters<typeof compile>[0], file, {
    bannerComment: `/* Generated from schemas/${file} by \`npm run generate\`: do not edit. */`,
    style: { singleQuote: true, printWidth: 100 },
  });
}

async function main(check: boolean): Promise<void> {
  for (const file of (await readdir(SCHEMAS)).filter((name) => name.endsWith(SUFFIX)).sort()) {
    const target = join(GENERATED, `${basename(file, SUFFIX)}.ts`);
    const text = await generate(file);
    const present = await readFile(target, 'utf8').catch(() => null);
    if (present === text) continue;
    if (check) {
      console.error(`stale: ${target} (run: npm run generate)`);
      process.exitCode = 1;
    } else {
      await writeFile(target, text);
    }
  }
}

await main(process.argv.includes('--check'));

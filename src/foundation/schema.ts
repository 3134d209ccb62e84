import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv';
import { TrialError, type ErrorCode } from './errors.ts';
import { isNestedTooDeeply, MAX_NESTING } from './nesting.ts';

/** A JSON schema, and texts for errors about its documents. */
export interface Contract {
  readonly schema: object;
  /** Code of the error for an invalid document. */
  readonly code: ErrorCode;
  /** What the document is, such as `a trial config`. */
  readonly noun: string;
  /** The next step for the user. */
  readonly next: string;
}

/** Returns a checked copy of an untrusted value; `where` is its place, for errors. */
export type Validator<T> = (value: unknown, where: string) => T;

/** Characters of a found value that an error quotes. */
const MAX_FOUND = 60;

/** Text of a value for people, without the content of objects and lists. */
function describeValue(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object' && value !== null) return 'an object';
  const text =
    typeof value === 'string' ? JSON.stringify(value) : `${value as number | boolean | null}`;
  return text.length > MAX_FOUND ? `${text.slice(0, MAX_FOUND)}…` : text;
}

/** `"a", "b" or "c"`. */
function oneOf(values: readonly unknown[]): string {
  const texts = values.map((value) => JSON.stringify(value));
  return [texts.slice(0, -1).join(', '), ...texts.slice(-1)].filter(Boolean).join(' or ');
}

function propertyOf(value: unknown, key: string): unknown {
  const isObject = typeof value === 'object' && value !== null;
  return isObject && Object.hasOwn(value, key)
    ? (value as Record<string, unknown>)[key]
    : undefined;
}

/** The constants that distinguish the branches of a discriminated union. */
function tagsOf({ parentSchema, params }: ErrorObject, root: object): readonly unknown[] {
  const branches = propertyOf(parentSchema, 'oneOf') as readonly object[];
  return branches.map((branch) => {
    const reference = propertyOf(branch, '$ref');
    const steps = typeof reference === 'string' ? reference.split('/').slice(1) : [];
    const schema = steps.reduce<unknown>(propertyOf, steps.length > 0 ? root : branch);
    const tag = propertyOf(propertyOf(schema, 'properties'), String(params['tag']));
    return propertyOf(tag, 'const');
  });
}

/** Place, allowed and found values; null if Ajv's own message suffices. */
function explain(error: ErrorObject, root: object): readonly [string, string, unknown] | null {
  const { instancePath: path, keyword, params, message = keyword } = error;
  const data: unknown = error.data;
  switch (keyword) {
    case 'discriminator': {
      const tag = String(params['tag']);
      return [`${path}/${tag}`, `must be ${oneOf(tagsOf(error, root))}`, propertyOf(data, tag)];
    }
    case 'enum':
      return [path, `must be ${oneOf(params['allowedValues'] as unknown[])}`, data];
    case 'const':
      return [path, `must be ${oneOf([params['allowedValue']])}`, data];
    case 'type':
      return [path, `must be ${[params['type']].flat().join(' or ')}`, data];
    default:
      return typeof data === 'object' ? null : [path, message, data];
  }
}

/** One violation as `/json/path: reason`: what is allowed and what was found. */
function describeViolation(error: ErrorObject, root: object): string {
  const explained = explain(error, root);
  if (explained !== null) {
    const [path, reason, found] = explained;
    return `${path || '/'}: ${reason} (found ${describeValue(found)})`;
  }
  const { instancePath, message, keyword, params } = error;
  const name: unknown = params['additionalProperty'] ?? params['propertyName'];
  const detail = typeof name === 'string' ? ` (${JSON.stringify(name)})` : '';
  return `${instancePath || '/'}: ${message ?? keyword}${detail}`;
}

/** Most violations in one error. */
const MAX_LISTED = 20;

function describeViolations(errors: readonly ErrorObject[], root: object): string {
  const more = errors.length - MAX_LISTED;
  const listed = errors.slice(0, MAX_LISTED).map((error) => describeViolation(error, root));
  return [...listed, ...(more > 0 ? [`and ${more} more`] : [])].join('; ');
}

/**
 * Creates the validator of one kind of document. Compiles the schema at the first use.
 *
 * @returns A function from an untrusted value and its place to a copy of it with the schema's
 *   defaults filled in. It throws TrialError with the contract's code, listing the violations, at most 20.
 */
export function createValidator<T>(contract: Contract): Validator<T> {
  let validate: ValidateFunction<T> | undefined;
  return (value, where) => {
    validate ??= new Ajv({
      allErrors: true,
      verbose: true,
      useDefaults: true,
      discriminator: true,
      strict: true,
      allowUnionTypes: true,
    }).compile<T>(contract.schema);
    const { code, noun, next } = contract;
    if (isNestedTooDeeply(value)) {
      const found = `more than ${MAX_NESTING} objects or lists inside one another`;
      throw new TrialError(code, { where, wanted: noun, found, next });
    }
    const copy: unknown = structuredClone(value);
    if (validate(copy)) return copy;
    const found = describeViolations(validate.errors ?? [], contract.schema);
    throw new TrialError(code, { where, wanted: noun, found, next });
  };
}

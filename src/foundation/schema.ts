import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv';
import { TrialError, type ErrorCode } from './errors.ts';
import { isNestedTooDeeply, MAX_NESTING } from './nesting.ts';

/** A JSON schema and how to speak of the documents that it describes. */
export interface Contract {
  readonly schema: object;
  /** Code of the error for a document that breaks the schema. */
  readonly code: ErrorCode;
  /** What the document is, such as `a trial config`. */
  readonly noun: string;
  /** What the person who reads the error does next. */
  readonly next: string;
}

/** Returns a checked copy of an untrusted value; `where` is its place, for errors. */
export type Validator<T> = (value: unknown, where: string) => T;

/** One violation as `/json/path: reason`; names what Ajv's own sentence leaves out. */
function describeViolation({ instancePath, message, keyword, params }: ErrorObject): string {
  const named: Record<string, unknown> = {
    additionalProperties: params['additionalProperty'],
    propertyNames: params['propertyName'],
    enum: params['allowedValues'],
    const: params['allowedValue'],
    discriminator: params['tagValue'],
  };
  const detail = named[keyword] === undefined ? '' : ` (${JSON.stringify(named[keyword])})`;
  return `${instancePath || '/'}: ${message ?? keyword}${detail}`;
}

/** Violations that one error lists. */
const MAX_LISTED = 20;

function describeViolations(errors: readonly ErrorObject[]): string {
  const more = errors.length - MAX_LISTED;
  const listed = errors.slice(0, MAX_LISTED).map(describeViolation).join('; ');
  return more > 0 ? `${listed}; and ${more} more` : listed;
}

/**
 * Makes the check of one kind of document. The schema is compiled at the first use.
 *
 * @returns A function from an untrusted value and its place to a copy of it with the schema's
 *   defaults filled in. It throws TrialError with the contract's code, listing the violations, at most 20.
 */
export function createValidator<T>(contract: Contract): Validator<T> {
  let validate: ValidateFunction<T> | undefined;
  return (value, where) => {
    validate ??= new Ajv({
      allErrors: true,
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
    const found = describeViolations(validate.errors ?? []);
    throw new TrialError(code, { where, wanted: noun, found, next });
  };
}

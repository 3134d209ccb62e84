/** Generators of hostile documents: valid ones, changed in value, in structure or as text. */
import fc from 'fast-check';
import { stringify } from 'yaml';

/** Names that every object inherits: as keys, labels and values they must be like any other. */
export const INHERITED = ['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'valueOf'];

const OWN_PROTOTYPE: unknown = JSON.parse('{"__proto__": {"polluted": 1}}');

function nested(depth: number): unknown {
  return depth === 0 ? 1 : depth % 2 === 0 ? [nested(depth - 1)] : { a: nested(depth - 1) };
}

const names: fc.Arbitrary<string> = fc.oneof(
  fc.constantFrom(...INHERITED, '', ' ', '$schema', '..', '../../etc/passwd', '/dev/null', '<<'),
  fc.constantFrom('\0', 'a\0b', '\ud800', '\u202e', '🦜', 'a'.repeat(100_000), '1e999', 'NaN', '~'),
  fc.string({ maxLength: 20 }),
  fc.string({ unit: 'binary', maxLength: 20 }),
);

const numbers: fc.Arbitrary<number> = fc.oneof(
  fc.constantFrom(0, -0, -1, 0.5, 1e9, 1e12, 2 ** 31, 2 ** 53, 1e300, -1e300, 5e-324),
  fc.constantFrom(NaN, Infinity, -Infinity),
  fc.integer(),
  fc.double(),
);

/** Any value of a document. */
export const values: fc.Arbitrary<unknown> = fc.oneof(
  numbers,
  names,
  fc.constantFrom(null, true, false, [], {}, OWN_PROTOTYPE, { toString: 1, valueOf: 1 }),
  fc.constantFrom([[[]]], nested(30), nested(70), nested(300), Array(1000).fill(0)),
  fc.jsonValue({ maxDepth: 3 }),
);

/** One change of a document at the place with a number. */
interface Edit {
  readonly at: number;
  readonly kind: 'replace' | 'remove' | 'rename' | 'insert' | 'duplicate' | 'swap';
  readonly value: unknown;
  readonly name: string;
}

const edits: fc.Arbitrary<Edit> = fc.record({
  at: fc.nat(),
  kind: fc.constantFrom('replace', 'replace', 'remove', 'rename', 'insert', 'duplicate', 'swap'),
  value: values,
  name: names,
});

type Container = Record<string, unknown> | unknown[];

function isContainer(value: unknown): value is Container {
  return typeof value === 'object' && value !== null;
}

/** Every key of every object and every position of every list. */
function placesOf(document: unknown): (readonly [Container, string])[] {
  const containers = [document].filter(isContainer);
  for (const container of containers) {
    for (const value of Object.values(container)) if (isContainer(value)) containers.push(value);
  }
  return containers.flatMap((container) =>
    Object.keys(container).map((key) => [container, key] as const),
  );
}

/** Defines rather than assigns: `__proto__` becomes a key like any other. */
function put(container: Container, key: string, value: unknown): void {
  // Cloned: a later change must not reach what other documents share, or close a circle.
  const own = {
    value: structuredClone(value),
    writable: true,
    enumerable: true,
    configurable: true,
  };
  Object.defineProperty(container, key, own);
}

function remove(container: Container, key: string): void {
  if (Array.isArray(container)) container.splice(Number(key), 1);
  else Reflect.deleteProperty(container, key);
}

function add(container: Container, name: string, value: unknown): void {
  if (Array.isArray(container)) container.push(structuredClone(value));
  else put(container, name, value);
}

/** The document with its changes, each on what the one before has left. */
function edited(document: unknown, changes: readonly Edit[]): unknown {
  const root = { document: structuredClone(document) };
  for (const { at, kind, value, name } of changes) {
    const places = placesOf(root);
    const [container, key] = places[at % places.length] ?? [root, 'document'];
    const [other, otherKey] = places[(at >> 4) % places.length] ?? [root, 'document'];
    const present = Reflect.get(container, key) as unknown;
    if (kind === 'replace') put(container, key, value);
    else if (kind === 'insert') add(container, name, value);
    else if (kind === 'duplicate') add(container, name, present);
    else if (kind === 'swap') put(other, otherKey, present);
    else {
      remove(container, key);
      if (kind === 'rename') add(container, name, present);
    }
  }
  return root.document;
}

/** Valid documents of one kind, up to three changes from it; a third are left as they are. */
export function documents(valid: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> {
  const changes = fc.oneof(
    { weight: 2, arbitrary: fc.constant([]) },
    { weight: 3, arbitrary: fc.array(edits, { minLength: 1, maxLength: 1 }) },
    { weight: 1, arbitrary: fc.array(edits, { minLength: 2, maxLength: 3 }) },
  );
  return fc.tuple(valid, changes).map(([document, list]) => edited(document, list));
}

/** What texts are broken with; some are short for long documents, or deep. */
const fragments = [
  '[', '{', ']', '}', '"', "'", ',', ':', '- ', '? ', '#', '\0', '\t', '\r', '\n', '\ufeff', '\\u00',
  '&a ', '*a ', '!!js/function ', '!!binary ', '%YAML 1.1\n---\n', '\n---\n', '\n...\n', '<<: ', '|\n',
  '&a [*a]', 'a: &a [x]\nb: &b [*a, *a]\nc: &c [*b, *b]\n', '"__proto__": {"polluted": 1},',
  '['.repeat(10_000), '{"a":'.repeat(10_000), '- '.repeat(10_000), '&a '.repeat(10_000),
  ' '.repeat(100_000), '\n'.repeat(1000), '[],'.repeat(1000), '1'.repeat(100_000),
]; // prettier-ignore

/** Texts put together from nothing but syntax. */
export const garbage: fc.Arbitrary<string> = fc.oneof(
  fc.string({ maxLength: 200 }),
  fc.string({ unit: 'binary', maxLength: 200 }),
  fc.array(fc.oneof(fc.constantFrom(...fragments), names), { maxLength: 12 }).map((parts) => parts.join('')), // prettier-ignore
);

type TextChange = (text: string) => string;

const textChanges: fc.Arbitrary<TextChange> = fc.oneof(
  fc.nat().map(
    (at): TextChange =>
      (text) =>
        text.slice(0, at % (text.length + 1)),
  ),
  fc.tuple(fc.nat(), fc.constantFrom(...fragments)).map(([at, fragment]): TextChange => {
    return (text) => {
      const place = at % (text.length + 1);
      return text.slice(0, place) + fragment + text.slice(place);
    };
  }),
  fc.nat().map((at): TextChange => (text) => {
    const lines = text.split('\n');
    lines.splice(at % lines.length, 0, lines[at % lines.length] ?? '');
    return lines.join('\n');
  }),
  fc.constant<TextChange>((text) => text.replaceAll('\n', '\r\n')),
  fc.constant<TextChange>((text) => `\ufeff${text}`),
);

const writers = {
  json: (document: unknown) => JSON.stringify(document),
  pretty: (document: unknown) => JSON.stringify(document, null, 2),
  yaml: (document: unknown) => stringify(document, { aliasDuplicateObjects: false }),
};

/** Texts of documents; a quarter are broken as text too, and a few are {@link garbage}. */
export function texts(
  document: fc.Arbitrary<unknown>,
  forms: readonly (keyof typeof writers)[] = ['json', 'pretty', 'yaml'],
): fc.Arbitrary<string> {
  const whole = fc
    .tuple(document, fc.constantFrom(...forms))
    .map(([content, form]) => writers[form](content ?? null));
  const broken = fc.tuple(whole, textChanges).map(([text, change]) => change(text));
  return fc.oneof(
    { weight: 12, arbitrary: whole },
    { weight: 5, arbitrary: broken },
    { weight: 1, arbitrary: garbage },
  );
}

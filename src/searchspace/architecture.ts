/** Writes and reads architecture files. */
import { TrialError } from '../foundation/errors.ts';
import { creamFiles, namesOfCreamList, namesOfMobileNetV3 } from './cream-architecture.ts';
import { publishedNet } from './cream.ts';
import { pathNames, pathOfCode, pathOfNames, pathSample } from './path.ts';
import type { Path, SearchSpace } from './space.ts';

/** One architecture file for another program. */
export interface ArchitectureFile {
  /** Such as `arch.sample.json`. */
  readonly name: string;
  readonly text: string;
}

/** Multi-hot form of NNI 1.2 to 2.8: one boolean per candidate, in the order of the space. */
function classicForm(space: SearchSpace, path: Path): Readonly<Record<string, readonly boolean[]>> {
  return Object.fromEntries(
    space.choices.map(({ name, candidates }, i) => [
      name,
      candidates.map((_, candidate) => candidate === path[i]),
    ]),
  );
}

/**
 * Writes a network in every form that an NNI user may load: `{label: value}` for NNI 3 and 2, as
 * the tuner would have sent it, multi-hot for older versions; for the cream family also as Cream's
 * list of digits and as an instance of NNI's MobileNetV3Space.
 */
export function architectureFiles(space: SearchSpace, path: Path): readonly ArchitectureFile[] {
  const sample = `${JSON.stringify(pathSample(space, path), null, 2)}\n`;
  const classic = `${JSON.stringify(classicForm(space, path), null, 2)}\n`;
  return [
    { name: 'arch.sample.json', text: sample },
    { name: 'arch.fixed.json', text: sample },
    { name: 'arch.parameters.json', text: sample },
    { name: 'arch.classic.json', text: classic },
    ...(space.family === 'cream' ? creamFiles(space, pathNames(space, path)) : []),
  ];
}

function invalid(where: string, wanted: string, found: string): TrialError {
  const next = 'Correct the architecture or name the skeleton that it was made for';
  return new TrialError('ARCHITECTURE_INVALID', { where, wanted, found, next });
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Own property of an untrusted object; inherited ones are never data. */
function own(value: unknown, key: string): unknown {
  return isRecord(value) && Object.hasOwn(value, key) ? value[key] : undefined;
}

/** Candidate name in one entry: itself, `{_value, _idx}` of a tuner, or multi-hot booleans. */
function nameInEntry(entry: unknown, candidates: readonly string[]): unknown {
  if (Array.isArray(entry)) {
    const chosen = candidates.filter((_, i) => entry[i] === true);
    return entry.length === candidates.length && chosen.length === 1 ? chosen[0] : undefined;
  }
  if (!isRecord(entry)) return entry;
  const name = own(entry, '_value');
  const isOne = typeof name === 'string' && candidates.indexOf(name) === own(entry, '_idx');
  return isOne ? name : undefined;
}

function pathOfSample(
  space: SearchSpace,
  sample: Readonly<Record<string, unknown>>,
  where: string,
): Path {
  const labels = space.choices.map(({ name }) => name);
  const extra = Object.keys(sample).find((label) => !labels.includes(label));
  if (extra !== undefined) {
    throw invalid(where, `labels of "${space.name}": ${labels.join(', ')}`, `"${extra}"`);
  }
  const names = space.choices.map(({ name: label, candidates }) => {
    const known = candidates.map(({ name }) => name);
    const name = nameInEntry(own(sample, label), known);
    if (typeof name === 'string') return name;
    const found = Object.hasOwn(sample, label) ? JSON.stringify(sample[label]) : 'nothing';
    throw invalid(`${where}: label "${label}"`, `one of ${known.join(', ')}`, found);
  });
  return pathOfNames(space, names, where);
}

function pathOfText(space: SearchSpace, text: string, where: string): Path {
  const net = publishedNet(text, 'published');
  if (net === null) return pathOfCode(space, text, where);
  const labels = net.skeleton.stages.flatMap((stage) => stage.labels).join(' ');
  const found = space.choices.map(({ name }) => name).join(' ');
  if (labels !== found) throw invalid(where, `a skeleton with the blocks ${labels}`, found);
  return pathOfNames(space, net.operations, where);
}

/**
 * Reads a network of a space in any of the forms that {@link architectureFiles} writes, out of a
 * result or an evaluation, as a digit code or by the name of a published net of the same depths.
 *
 * @param value - Untrusted: parsed content of a file, a code or a name.
 * @param where - Origin of the value, for errors.
 * @throws TrialError ARCHITECTURE_INVALID when it names no network of this space.
 */
export function parseArchitecture(space: SearchSpace, value: unknown, where: string): Path {
  if (typeof value === 'string') return pathOfText(space, value, where);
  const list = Array.isArray(value) ? value : own(value, 'arch_list');
  if (list !== undefined) return pathOfNames(space, namesOfCreamList(space, list, where), where);
  const within = own(value, 'best') ?? own(value, 'arch');
  const sample = own(within, 'sample') ?? own(value, 'sample') ?? value;
  if (!isRecord(sample)) throw invalid(where, 'an architecture', JSON.stringify(value));
  if (space.family === 'cream' && Object.hasOwn(sample, 's1_depth')) {
    return pathOfNames(space, namesOfMobileNetV3(space, sample, where), where);
  }
  return pathOfSample(space, sample, where);
}

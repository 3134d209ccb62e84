/** Writes experiments that `nnictl create` and `nni-cream search` use without editing. */

import { readFile, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { isMap, isScalar, parseDocument, type Document, type Scalar } from 'yaml';
import { PACKAGE_ROOT } from '../engine/library.ts';
import { makeFolder } from '../foundation/files.ts';
import { messageOf, TrialError } from '../foundation/errors.ts';
import type { Proposal, ProposedKey } from './proposal.ts';

const TEMPLATES = join(PACKAGE_ROOT, 'nni-config');
const SKELETON = 'skeletons/nas-bench-macro.json';
const COPIED = ['search_space.json', 'spaces/nas-bench-macro.json'];
const CONFIG = 'trial.yml';
const EXPERIMENT = 'experiment.local.yml';

/** Long values stay on one line. */
const YAML = { lineWidth: 0 };

/** The images of an experiment, and its settings. */
export interface ExperimentSpec {
  /** Absolute path of the images. */
  readonly data: string;
  /** Number of their classes. */
  readonly classes: number;
  /** Proposed settings; null for those of `nni-config/trial.yml`. */
  readonly proposal: Proposal | null;
}

/** The written files; absolute paths. */
export interface ExperimentFiles {
  /** For `nni-cream search` and `lint`. */
  readonly config: string;
  /** For `nnictl create`. */
  readonly experiment: string;
  readonly all: readonly string[];
}

/**
 * Writes an experiment into a folder. Creates the folder, and replaces files of the same names.
 *
 * @param folder - Absolute path.
 * @throws TrialError FILE_UNWRITABLE
 */
export async function writeExperiment(
  folder: string,
  spec: ExperimentSpec,
): Promise<ExperimentFiles> {
  const texts: Record<string, string> = {
    [CONFIG]: await configText(folder, spec),
    [EXPERIMENT]: await experimentText(folder, spec),
    [SKELETON]: await skeletonText(join(folder, dirname(SKELETON)), spec),
  };
  for (const file of COPIED) texts[file] = await template(file);
  try {
    for (const [file, text] of Object.entries(texts)) {
      await makeFolder(dirname(join(folder, file)));
      await writeFile(join(folder, file), text);
    }
  } catch (cause) {
    throw new TrialError(
      'FILE_UNWRITABLE',
      {
        where: folder,
        wanted: 'a folder for the experiment',
        found: messageOf(cause),
        next: 'Name a folder that you may write to.',
      },
      cause,
    );
  }
  return {
    config: join(folder, CONFIG),
    experiment: join(folder, EXPERIMENT),
    all: Object.keys(texts).map((file) => join(folder, file)),
  };
}

function template(file: string): Promise<string> {
  return readFile(join(TEMPLATES, file), 'utf8');
}

async function configText(folder: string, { data, proposal }: ExperimentSpec): Promise<string> {
  const config = parseDocument(await template(CONFIG));
  setHeader(config, [
    `A search on ${JSON.stringify(data)}.`,
    'Every key: schemas/trial-config.schema.json. Paths are relative to this file.',
  ]);
  config.set('$schema', schemaPath(folder, 'trial-config'));
  const path = relative(folder, data) || '.';
  if (proposal === null) {
    config.set('data', { path, maxImages: config.getIn(['data', 'maxImages']) });
  } else {
    config.set('data', { path });
    applyProposal(config, proposal);
  }
  return config.toString(YAML);
}

function applyProposal(config: Document, { settings, reasons }: Proposal): void {
  const { maxImages, ...own } = settings;
  if (maxImages !== null) config.setIn(['data', 'maxImages'], maxImages);
  for (const [key, value] of Object.entries(own)) {
    config.set(key, value);
    setComment(config, key, reasons[key as ProposedKey]);
  }
}

/** Replaces the comment above a key. */
function setComment(document: Document, name: string, comment: string): void {
  for (const key of keysOf(document)) if (key.value === name) key.commentBefore = ` ${comment}`;
}

/** Replaces the comment above everything. */
function setHeader(document: Document, lines: readonly string[]): void {
  const [first] = keysOf(document);
  if (first !== undefined) first.commentBefore = lines.map((line) => ` ${line}`).join('\n');
}

function keysOf({ contents }: Document): Scalar[] {
  return isMap(contents) ? contents.items.map(({ key }) => key).filter(isScalar) : [];
}

async function experimentText(folder: string, { data }: ExperimentSpec): Promise<string> {
  const experiment = parseDocument(await template(EXPERIMENT));
  setHeader(experiment, [`A search on ${JSON.stringify(data)} in NNI's web UI, on this machine.`]);
  const program = relative(folder, join(PACKAGE_ROOT, 'dist/cli/main.js'));
  experiment.set('trialCodeDirectory', '.');
  setComment(experiment, 'trialCodeDirectory', "The command's paths start here.");
  experiment.set('trialCommand', `exec node ${shellWord(program)} trial --config ${CONFIG}`);
  return experiment.toString(YAML);
}

async function skeletonText(folder: string, spec: ExperimentSpec): Promise<string> {
  const skeleton = JSON.parse(await template(SKELETON)) as Record<string, unknown>;
  skeleton['$schema'] = schemaPath(folder, 'network-skeleton');
  skeleton['classes'] = spec.classes;
  if (spec.proposal !== null) skeleton['imageSize'] = spec.proposal.imageSize;
  return `${JSON.stringify(skeleton, null, 2)}\n`;
}

function schemaPath(folder: string, name: string): string {
  return relative(folder, join(PACKAGE_ROOT, `schemas/${name}.schema.json`));
}

/** Quotes a path as one shell word. */
export function shellWord(text: string): string {
  return /^[\w./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

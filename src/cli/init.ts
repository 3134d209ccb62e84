import { cp, readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { messageOf, TrialError } from '../foundation/errors.ts';
import { makeFolder } from '../foundation/files.ts';

const PACKAGE_ROOT = fileURLToPath(new URL('../../', import.meta.url));
const TEMPLATES = join(PACKAGE_ROOT, 'nni-config');

/** Copied as they are; the two YAML files name paths and are adapted. */
const COPIED = [
  'search_space.json',
  'skeletons/nas-bench-macro.json',
  'spaces/nas-bench-macro.json',
];
const CONFIG = 'trial.yml';
const EXPERIMENT = 'experiment.local.yml';

/** Where the experiment folder goes and which images it names. */
export interface InitOptions {
  readonly folder: string;
  /** Data set, absolute or relative to the working directory. */
  readonly data: string;
}

/**
 * Writes a folder that `nnictl create` and `nni-cream search` can use as it is.
 *
 * @returns The files that were written.
 * @throws TrialError FILE_UNWRITABLE when the folder holds something already, or cannot be made.
 */
export async function initExperiment({ folder, data }: InitOptions): Promise<readonly string[]> {
  const target = resolve(folder);
  try {
    await makeFolder(target);
    await refuseFull(target);
    for (const file of COPIED) {
      await makeFolder(dirname(join(target, file)));
      await cp(join(TEMPLATES, file), join(target, file));
    }
    await writeFile(join(target, CONFIG), await configText(target, resolve(data)));
    await writeFile(join(target, EXPERIMENT), await experimentText(target));
  } catch (cause) {
    if (cause instanceof TrialError) throw cause;
    throw unwritable(target, messageOf(cause), 'Name a folder that you may write to.', cause);
  }
  return [...COPIED, CONFIG, EXPERIMENT].map((file) => join(target, file));
}

async function refuseFull(target: string): Promise<void> {
  const held = await readdir(target);
  if (held.length === 0) return;
  throw unwritable(target, `${held.length} files in it`, 'Name a new or empty folder.');
}

async function configText(target: string, data: string): Promise<string> {
  const text = await readFile(join(TEMPLATES, CONFIG), 'utf8');
  const schema = relative(target, join(PACKAGE_ROOT, 'schemas/trial-config.schema.json'));
  return text
    .replace(/^\$schema: .*$/m, `$schema: ${schema}`)
    .replace(/^( +path:) .*$/m, `$1 ${JSON.stringify(relative(target, data))}`);
}

async function experimentText(target: string): Promise<string> {
  const text = await readFile(join(TEMPLATES, EXPERIMENT), 'utf8');
  const program = relative(target, join(PACKAGE_ROOT, 'dist/cli/main.js'));
  return text
    .replace(/^trialCodeDirectory: .*$/m, 'trialCodeDirectory: .')
    .replace(/^trialCommand: .*$/m, `trialCommand: exec node ${program} trial --config ${CONFIG}`);
}

function unwritable(where: string, found: string, next: string, cause?: unknown): TrialError {
  const complaint = { where, wanted: 'an empty folder for the experiment', found, next };
  return new TrialError('FILE_UNWRITABLE', complaint, cause);
}

/** Installs TensorFlow's native library beside the project; see `docs/` for the command. */
import { existsSync } from 'node:fs';
import { chmod, cp, mkdir, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { TrialError, messageOf } from '../../foundation/errors.ts';
import type { Logger } from '../../foundation/logger.ts';
import {
  DEFAULT_ENGINE_ROOT,
  DEFAULT_TENSORFLOW,
  MANIFEST_FILE,
  PACKAGE_ROOT,
  engineFolder,
  inspectEngine,
} from '../library.ts';
import type { EngineManifest, EngineVariant, InstalledEngine } from '../library.ts';
import { assertSupported } from '../platform.ts';
import { BINDING, OWN_OPS, compileAddon, describeCompiler, hashBuildInputs } from './compile.ts';
import { installCudaLibraries } from './cuda.ts';
import { describeFiles } from './files.ts';
import { LIBRARIES, checkWheelHash, obtainWheel, unpackWheel } from './wheel.ts';

/** What to install, and with which tools. */
export interface InstallOptions {
  readonly logger: Logger;
  /** Defaults to `cpu`. */
  readonly variant?: EngineVariant;
  /** TensorFlow's version; defaults to the tested one. */
  readonly version?: string;
  /** SHA-256 that the wheel must have; defaults to the pinned one of the tested version. */
  readonly sha256?: string | undefined;
  /** A wheel, a folder that holds one, or an engine's folder copied from elsewhere. */
  readonly from?: string | undefined;
  /** Folder that holds the engines; defaults to `.engine` of this project. */
  readonly engineRoot?: string;
  /** Python command whose pip downloads; defaults to `.python/` of this project, else `python3`. */
  readonly python?: string;
  /** Defaults to `g++`. */
  readonly compiler?: string;
  /** Whether to get the CUDA libraries too (3 GB); only the `gpu` variant has them by default. */
  readonly cudaLibraries?: boolean;
}

type Settings = Required<Omit<InstallOptions, 'sha256' | 'from'>> &
  Pick<InstallOptions, 'sha256' | 'from'>;

/** Python of the project-local environment, or the system's where there is none. */
export function defaultPython(root: string = PACKAGE_ROOT): string {
  const local = join(root, '.python', 'bin', 'python');
  return existsSync(local) ? local : 'python3';
}

/** Keeps an engine usable without this project's own operations where they do not compile. */
async function tryOwnOps(work: string, include: string, settings: Settings): Promise<boolean> {
  try {
    await compileAddon(OWN_OPS, { compiler: settings.compiler, folder: work, include });
    return true;
  } catch (error) {
    await rm(join(work, OWN_OPS.file), { force: true });
    settings.logger.log('warning', `own operations left out: ${messageOf(error)}`);
    return false;
  }
}

async function buildFromWheel(work: string, settings: Settings): Promise<EngineManifest> {
  const { variant, version, compiler, logger, python, cudaLibraries } = settings;
  const compilerVersion = await describeCompiler(compiler);
  const scratch = join(work, 'scratch');
  const include = join(scratch, 'include');
  await mkdir(scratch);
  const wheel = await obtainWheel(settings, scratch);
  logger.log('info', `unpacking ${wheel.path}`);
  await unpackWheel(wheel.path, { library: join(work, 'lib'), scratch });
  logger.log('info', `compiling the addons with ${compilerVersion}`);
  await compileAddon(BINDING, { compiler, folder: work, include });
  const ownOps = await tryOwnOps(work, include, settings);
  if (cudaLibraries) logger.log('info', 'downloading the CUDA libraries, about 3 GB');
  const cuda = cudaLibraries ? await installCudaLibraries(python, scratch, work) : [];
  await rm(scratch, { recursive: true });
  const libraries = LIBRARIES.map((name) => join('lib', name));
  const addons = ownOps ? [BINDING.file, OWN_OPS.file] : [BINDING.file];
  return {
    format: 1,
    variant,
    version,
    wheelSha256: wheel.sha256,
    compiler: compilerVersion,
    buildInputs: hashBuildInputs(),
    cudaLibraries,
    ownOps,
    files: await describeFiles(work, [...libraries, ...addons, ...cuda]),
  };
}

/** Copies an engine that was built elsewhere from the same sources, and checks every byte. */
async function copyEngine(
  { folder, manifest }: InstalledEngine,
  work: string,
  settings: Settings,
): Promise<EngineManifest> {
  const { variant, version, logger } = settings;
  checkWheelHash(settings, folder, manifest.wheelSha256);
  logger.log('info', `copying ${folder}`);
  await cp(folder, work, { recursive: true });
  await rm(join(work, MANIFEST_FILE));
  const copied = await describeFiles(work, Object.keys(manifest.files));
  if (
    manifest.variant === variant &&
    manifest.version === version &&
    manifest.buildInputs === hashBuildInputs() &&
    JSON.stringify(copied) === JSON.stringify(manifest.files)
  ) {
    return manifest;
  }
  throw new TrialError('ENGINE_UNUSABLE', {
    where: folder,
    wanted: `an intact ${variant} engine ${version} built from this version's sources`,
    found: `${manifest.variant} ${manifest.version}, other files than it lists or other sources`,
    next: 'Give --from the wheel instead.',
  });
}

async function build(work: string, settings: Settings): Promise<void> {
  const given = settings.from === undefined ? undefined : inspectEngine(settings.from);
  const manifest =
    given?.state === 'complete'
      ? await copyEngine(given.engine, work, settings)
      : await buildFromWheel(work, settings);
  await writeFile(join(work, MANIFEST_FILE), `${JSON.stringify(manifest, null, 2)}\n`);
}

function isUpToDate(folder: string, settings: Settings): boolean {
  const found = inspectEngine(folder);
  if (found.state !== 'complete') return false;
  const { buildInputs, cudaLibraries } = found.engine.manifest;
  return buildInputs === hashBuildInputs() && (cudaLibraries || !settings.cudaLibraries);
}

/** Moves the finished folder into place, unless another installer was faster. */
async function publish(work: string, folder: string, settings: Settings): Promise<void> {
  if (isUpToDate(folder, settings)) return;
  const outdated = `${work}-outdated`;
  try {
    if (existsSync(folder)) await rename(folder, outdated);
    await rename(work, folder);
  } catch (error) {
    if (!isUpToDate(folder, settings)) throw error;
  } finally {
    await rm(outdated, { recursive: true, force: true });
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Removes leftovers of killed installers; a build folder's name holds its process id. */
async function removeAbandoned(root: string): Promise<void> {
  for (const name of await readdir(root)) {
    const pid = /^\.build-(\d+)-/.exec(name)?.[1];
    if (pid === undefined || isRunning(Number(pid))) continue;
    await rm(join(root, name), { recursive: true, force: true });
  }
}

function withDefaults(options: InstallOptions): Settings {
  return {
    variant: 'cpu',
    version: DEFAULT_TENSORFLOW,
    engineRoot: DEFAULT_ENGINE_ROOT,
    python: defaultPython(),
    compiler: 'g++',
    cudaLibraries: options.variant === 'gpu',
    ...options,
  };
}

/**
 * Makes TensorFlow's library and the addons available in `<engineRoot>/<variant>-<version>`.
 *
 * An engine that is complete and up to date is left alone; a missing, outdated or damaged one is
 * built in a folder beside it and renamed into place, so that an interruption or a second
 * installer at the same time leaves no half engine behind.
 *
 * @throws TrialError DOWNLOAD_FAILED, ENGINE_BUILD_FAILED, ENGINE_UNUSABLE,
 *   ENVIRONMENT_UNSUPPORTED or FILE_UNREADABLE.
 */
export async function installEngine(options: InstallOptions): Promise<InstalledEngine> {
  assertSupported(process);
  const settings = withDefaults(options);
  const { engineRoot, variant, version, logger } = settings;
  const folder = engineFolder(engineRoot, variant, version);
  if (!isUpToDate(folder, settings)) {
    await mkdir(engineRoot, { recursive: true });
    await removeAbandoned(engineRoot);
    const work = await mkdtemp(join(engineRoot, `.build-${process.pid}-`));
    try {
      await chmod(work, 0o755);
      await build(work, settings);
      await publish(work, folder, settings);
    } finally {
      await rm(work, { recursive: true, force: true });
    }
  }
  const installed = inspectEngine(folder);
  if (installed.state !== 'complete') throw new Error(`${folder} is ${installed.state}`);
  logger.log('info', `TensorFlow ${version} (${variant}) is ready in ${folder}`);
  return installed.engine;
}

import { statfsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { TrialError, messageOf } from '../foundation/errors.ts';
import { runCommand, type CommandResult } from '../engine/install/command.ts';
import { defaultPython } from '../engine/install/install.ts';
import { DEFAULT_ENGINE_ROOT, PACKAGE_ROOT, findEngine } from '../engine/library.ts';
import type { EngineState, EngineVariant } from '../engine/library.ts';
import { describeNative, loadTensorFlow } from '../engine/load.ts';
import { SUPPORTED, unsupportedReason, type Platform } from '../engine/platform.ts';

/** How the diagnosis inspects the machine. */
export interface Machine {
  readonly platform: Platform;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly processors: number;
  /** Python command that has, or should have, NNI. */
  readonly python: string;
  readonly freeBytes: number;
  readonly engine: (variant: EngineVariant) => EngineState;
  /** Loads the library and describes it. @throws TrialError */
  readonly load: (variant: EngineVariant) => Promise<{ version: string; devices: string[] }>;
  readonly run: (command: string, args: readonly string[]) => Promise<CommandResult>;
}

/** Something that stops the product from working, or slows it down. */
export interface Problem {
  readonly what: string;
  /** What to do about it. */
  readonly next: string;
}

/** State of an installation. */
export interface Diagnosis {
  readonly node: string;
  readonly platform: string;
  /** Installed engines; `null` where there is none. */
  readonly engines: Readonly<Record<EngineVariant, string | null>>;
  /** The loaded library; `null` if none can be loaded. */
  readonly tensorflow: { readonly version: string; readonly devices: readonly string[] } | null;
  /** Threads of one operation. */
  readonly threads: number;
  readonly oneDnn: boolean;
  readonly compiler: string | null;
  readonly python: string | null;
  readonly nni: string | null;
  /** Free disk space where the project lies, in bytes. */
  readonly freeBytes: number;
  readonly problems: readonly Problem[];
}

const NEEDED_BYTES = 3e9;
const NNI_PYTHON = /^3\.(9|10|11)\./;
const PYTHON_PROBE = `
import sys
from importlib.metadata import version
print(sys.version.split()[0])
print(version("nni"))`;

/** The machine that this process runs on; TensorFlow's settings are written to `environment`. */
export function thisMachine(environment: Record<string, string | undefined>): Machine {
  const disk = statfsSync(PACKAGE_ROOT);
  return {
    platform: process,
    environment,
    processors: availableParallelism(),
    python: defaultPython(),
    freeBytes: disk.bavail * disk.bsize,
    engine: (variant) => findEngine(DEFAULT_ENGINE_ROOT, variant),
    load: async (engine) => describeNative((await loadTensorFlow({ engine, environment })).tf),
    run: runCommand,
  };
}

/** Collects the state of an installation and a remedy for each problem. Changes nothing. */
export async function diagnose(machine: Machine): Promise<Diagnosis> {
  const problems: Problem[] = [];
  const { platform, environment, freeBytes } = machine;
  const unsupported = unsupportedReason(platform);
  if (unsupported !== undefined) {
    problems.push({
      what: `${unsupported} is not supported`,
      next: `Use ${SUPPORTED}.`,
    });
  }
  if (freeBytes < NEEDED_BYTES) {
    problems.push({
      what: `${gigabytes(freeBytes)} of free disk space`,
      next: `Make room: an installation takes up to ${gigabytes(NEEDED_BYTES)}.`,
    });
  }
  return {
    node: platform.version,
    platform: `${platform.platform}-${platform.arch}`,
    ...(await diagnoseEngine(machine, problems)),
    threads: Number(environment['TF_NUM_INTRAOP_THREADS'] ?? machine.processors),
    oneDnn: environment['TF_ENABLE_ONEDNN_OPTS'] !== '0',
    compiler: await diagnoseCompiler(machine, problems),
    ...(await diagnosePython(machine, problems)),
    freeBytes,
    problems,
  };
}

function describeEngine(found: EngineState): string | null {
  if (found.state === 'absent') return null;
  if (found.state === 'damaged') return `damaged: ${found.reason}`;
  const { folder, manifest } = found.engine;
  const ops = manifest.ownOps ? 'with' : 'without';
  return `TensorFlow ${manifest.version}, ${ops} own operations, ${folder}`;
}

async function diagnoseEngine(
  machine: Machine,
  problems: Problem[],
): Promise<Pick<Diagnosis, 'engines' | 'tensorflow'>> {
  const found = { cpu: machine.engine('cpu'), gpu: machine.engine('gpu') };
  const engines = { cpu: describeEngine(found.cpu), gpu: describeEngine(found.gpu) };
  const variant = found.gpu.state === 'complete' ? 'gpu' : 'cpu';
  const state = found[variant];
  if (state.state === 'complete' && !state.engine.manifest.ownOps) {
    problems.push({
      what: 'the own operations did not compile, so that 5x5 depthwise convolutions are slow',
      next: `Install a newer g++, remove ${state.engine.folder} and run: nni-cream engine install`,
    });
  }
  try {
    return { engines, tensorflow: await machine.load(variant) };
  } catch (error) {
    problems.push(problemOf(error));
    return { engines, tensorflow: null };
  }
}

function problemOf(error: unknown): Problem {
  if (!(error instanceof TrialError)) throw error;
  return { what: error.code, next: messageOf(error) };
}

async function diagnoseCompiler(machine: Machine, problems: Problem[]): Promise<string | null> {
  const { status, output } = await machine.run('g++', ['--version']);
  if (status === 0) return output.split('\n', 1)[0] ?? '';
  problems.push({
    what: 'no C++ compiler (needed to install the engine)',
    next: 'Run: apt-get install g++',
  });
  return null;
}

async function diagnosePython(
  machine: Machine,
  problems: Problem[],
): Promise<Pick<Diagnosis, 'python' | 'nni'>> {
  const { status, output, notFound } = await machine.run(machine.python, ['-c', PYTHON_PROBE]);
  const [python = '', nni = ''] = notFound ? [] : output.trim().split('\n');
  if (!NNI_PYTHON.test(python)) {
    problems.push({
      what: python === '' ? 'no Python' : `Python ${python}, which NNI 3.0 does not run on`,
      next: 'Install Python 3.9 to 3.11 with venv and run: npm start',
    });
  } else if (status !== 0) {
    problems.push({
      what: `no NNI in ${machine.python}`,
      next: 'Run npm start, which installs it; nni-cream search works without it.',
    });
  }
  return { python: python === '' ? null : python, nni: status === 0 ? nni : null };
}

function gigabytes(bytes: number): string {
  return `${(bytes / 1e9).toFixed(1)} GB`;
}

const orNone = (value: string | null | undefined): string => value ?? 'none';

/** Formats a diagnosis: the state, then the remedies. */
export function renderDiagnosis(diagnosis: Diagnosis): string {
  const { engines, tensorflow, problems } = diagnosis;
  const rows = Object.entries({
    Node: `${diagnosis.node} on ${diagnosis.platform}`,
    'engine, cpu': orNone(engines.cpu),
    'engine, gpu': orNone(engines.gpu),
    TensorFlow: orNone(tensorflow?.version),
    devices: orNone(tensorflow?.devices.join(', ')),
    threads: `${diagnosis.threads}`,
    oneDNN: diagnosis.oneDnn ? 'on' : 'off',
    compiler: orNone(diagnosis.compiler),
    Python: orNone(diagnosis.python),
    NNI: orNone(diagnosis.nni),
    'free disk': gigabytes(diagnosis.freeBytes),
  }).map(([name, value]) => `${name.padEnd(12)} ${value}`);
  const advice = problems.map(({ what, next }) => `problem: ${what}\n  ${next}`);
  return [...rows, '', ...(advice.length === 0 ? ['No problem found.'] : advice)].join('\n');
}

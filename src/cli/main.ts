#!/usr/bin/env node
/** The command line: words to functions. Each command loads only what it needs. */

import { Command, CommanderError, Option } from 'commander';
import packageFile from '../../package.json' with { type: 'json' };
import { TrialError, type ErrorCode } from '../foundation/errors.ts';
import type { Logger } from '../foundation/logger.ts';
import type { Host, TrialOptions } from '../trial/entry.ts';
import { oneLine } from './one-line.ts';
import { systemMemory, systemTimers } from './system.ts';

const EXIT = { done: 0, failed: 1, usage: 2, undelivered: 3, defect: 70 } as const;

/** Of documented errors that have an exit code of their own. */
const EXIT_OF_CODE: Partial<Record<ErrorCode, number>> = {
  USAGE: EXIT.usage,
  METRICS_UNDELIVERED: EXIT.undelivered,
};

/** Where nnictl puts the web UI. */
const DEFAULT_NNI = 'http://localhost:8080';

/** How long a trial waits at its end for the reader of its output, milliseconds. */
const DRAIN_MS = 5000;

const EXIT_CODES_HELP = `
Exit codes: 0 done, 1 a documented error (docs/reference/errors.md), 2 wrong usage,
3 a search is done, but NNI does not have all of its metrics ("nni-cream replay"),
70 a defect. SIGINT and SIGTERM end the process by that signal (a shell shows 130, 143).`;

const isColoured = process.stderr.isTTY && process.env['NO_COLOR'] === undefined;

// A terminal that hung up refuses the last messages: the process is to end by the signal, not by that.
process.stderr.on('error', () => undefined);
// Whoever reads what the program prints may end before it: the search goes on without. What a full
// disk refused was wanted.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') return;
  process.stderr.write(`nni-cream: the output could not be written: ${error.message}\n`);
  process.exitCode = EXIT.failed;
});

const host: Host = {
  variables: process.env,
  stdout: process.stdout,
  // A bar may stand on the terminal's last line: a log line takes its place.
  stderr: {
    isTTY: process.stderr.isTTY,
    write: (text) => process.stderr.write(process.stderr.isTTY ? `\r\u001b[K${text}` : text),
  },
  process,
  clock: () => performance.now(),
  now: () => new Date(),
  timers: systemTimers,
  memory: systemMemory,
};

const logger: Logger = {
  log: (level, message) => {
    host.stderr.write(`${level === 'info' ? '' : `${level}: `}${message}\n`);
  },
};

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

function printJson(value: unknown): void {
  print(JSON.stringify(value, null, 2));
}

const program = new Command('nni-cream')
  .description('One-shot neural architecture search (Cream of the Crop) as an NNI trial')
  .version(packageFile.version)
  .addHelpText('after', EXIT_CODES_HELP)
  .exitOverride();

program
  .command('search')
  .description('run a search without NNI; goes on where an earlier one in the folder ended')
  .requiredOption('-c, --config <file>', 'trial config, JSON or YAML')
  .option('-o, --output <folder>', "in place of the config's; else nni-cream-result")
  .option('--overwrite', 'throw away what the folder holds')
  .addOption(engineOption())
  .option('--gpu', 'the same as --engine gpu')
  .option('--json', 'print the result as JSON')
  .action(({ json, overwrite, ...options }: SearchOptions & ShownOptions) => {
    const present = overwrite ? 'throw-away' : 'refuse-result';
    return searchHere({ ...trialOptions(options), present }, json);
  });

program
  .command('resume')
  .description('go on with the unfinished search of a folder, without NNI')
  .argument('<folder>', 'output folder of the search')
  .option('-c, --config <file>', 'in place of the config that the search was started with')
  .addOption(engineOption())
  .option('--gpu', 'the same as --engine gpu')
  .option('--json', 'print the result as JSON')
  .action(async (folder: string, { json, ...options }: ResumeOptions & ShownOptions) => {
    const { resumption } = await import('./resume.ts');
    const { configFile: config, engine, ...search } = await resumption(folder, options.config);
    await searchHere({ ...trialOptions({ config, engine, ...options }), ...search }, json);
  });

program
  .command('trial')
  .description('run a search as the trial of an NNI experiment; NNI starts this')
  .requiredOption('-c, --config <file>', 'trial config, JSON or YAML')
  .option('-o, --output <folder>', "where NNI names none, in place of the config's")
  .addOption(engineOption())
  .option('--gpu', 'the same as --engine gpu')
  .action(async (options: SearchOptions) => {
    const { runTrial } = await import('../trial/entry.ts');
    const { createProgress } = await import('./progress.ts');
    try {
      await runTrial(
        {
          ...trialOptions(options),
          progress: (log) => createProgress({ logger: log, terminal: null }),
        },
        host,
      );
    } finally {
      // Output that nobody reads would keep the process, and NNI's trial, for ever.
      setTimeout(() => process.exit(), DRAIN_MS).unref();
    }
  });

program
  .command('status')
  .description('what an output folder holds, and how to go on with it')
  .argument('<folder>', 'output folder of a search')
  .option('--json', 'print JSON')
  .action(async (folder: string, { json }: { json?: true }) => {
    const { folderStatus } = await import('../run-folder/status.ts');
    const { nameByConfig, renderStatus } = await import('./status.ts');
    const status = await folderStatus(folder, nameByConfig);
    if (json) printJson(status);
    else print(renderStatus(status));
    if (status.state === 'broken') process.exitCode = EXIT.failed;
  });

program
  .command('replay')
  .description('send NNI the metrics that it did not take when the search was done')
  .argument('<folder>', 'output folder of the search')
  .option('--url <url>', "address of NNI's web UI, or of the trial's channel", DEFAULT_NNI)
  .action(async (folder: string, { url }: { url: string }) => {
    const { replay } = await import('../trial/replay.ts');
    const { now, timers } = host;
    const count = await replay({ folder, url, logger, now, timers });
    print(count === 0 ? 'NNI has all metrics' : `NNI has ${count} more metrics`);
  });

program
  .command('cost')
  .description('multiply-accumulates and parameters of a network, exactly')
  .requiredOption('-s, --skeleton <file>', 'network skeleton')
  .requiredOption('-a, --arch <network>', 'architecture file, digit code or published name')
  .addOption(
    new Option('--decoding <how>', 'how a published net is read').choices(['published', 'literal']),
  )
  .option('--json', 'print JSON')
  .action(async ({ json, ...request }: CostOptions) => {
    const { costReport, renderCost } = await import('./cost.ts');
    const report = await costReport(request);
    if (json) printJson(report);
    else print(renderCost(report));
  });

interface CostOptions {
  readonly skeleton: string;
  readonly arch: string;
  readonly decoding?: 'published' | 'literal';
  readonly json?: true;
}

program
  .command('lint')
  .description('check trial configs, skeletons, search spaces and results')
  .argument('<files...>')
  .option('--json', 'print JSON')
  .action(async (files: string[], { json }: { json?: true }) => {
    const { lintFiles, renderLint } = await import('./lint.ts');
    const linted = await lintFiles(files);
    if (json) printJson(linted);
    else print(renderLint(linted));
    if (!linted.every(({ ok }) => ok)) process.exitCode = EXIT.failed;
  });

program
  .command('init')
  .description('write a working experiment folder')
  .argument('<folder>')
  .option('-d, --data <path>', 'data set', '.cache/data/fashion-mnist')
  .action(async (folder: string, { data }: { data: string }) => {
    const { initExperiment } = await import('./init.ts');
    print((await initExperiment({ folder, data })).join('\n'));
  });

program
  .command('doctor')
  .description('what is installed, and what to fix')
  .option('--json', 'print JSON')
  .action(async ({ json }: { json?: true }) => {
    const { diagnose, renderDiagnosis, thisMachine } = await import('./doctor.ts');
    const diagnosis = await diagnose(thisMachine(process.env));
    if (json) printJson(diagnosis);
    else print(renderDiagnosis(diagnosis));
    if (diagnosis.problems.length > 0) process.exitCode = EXIT.failed;
  });

program
  .command('engine')
  .description("TensorFlow's native library")
  .command('install')
  .description('get the library out of its pip wheel and build the addon; does nothing when done')
  .option('--gpu', 'the build for NVIDIA GPUs, with the CUDA 12 libraries')
  .option('--tensorflow <version>', "TensorFlow's version")
  .option('--sha256 <hash>', 'what the wheel must hash to')
  .option('--from <path>', 'a wheel, or a folder that holds one')
  .action(async (options: EngineOptions) => {
    const { installEngine } = await import('../engine/install/install.ts');
    const { folder } = await installEngine({
      logger,
      variant: options.gpu ? 'gpu' : 'cpu',
      ...(options.tensorflow === undefined ? {} : { version: options.tensorflow }),
      sha256: options.sha256,
      from: options.from,
    });
    print(folder);
  });

interface EngineOptions {
  readonly gpu?: true;
  readonly tensorflow?: string;
  readonly sha256?: string;
  readonly from?: string;
}

interface SearchOptions {
  readonly config: string;
  readonly output?: string;
  readonly engine?: TrialOptions['engine'];
  readonly gpu?: true;
}

type ResumeOptions = Omit<SearchOptions, 'config' | 'output'> & { readonly config?: string };

/** What is done with the folder, and how the result is shown. */
interface ShownOptions {
  readonly overwrite?: true;
  readonly json?: true;
}

function engineOption(): Option {
  const engines = ['native', 'gpu', 'js'];
  return new Option('--engine <kind>', "in place of the config's engine").choices(engines);
}

function trialOptions({ config, output, engine, gpu }: SearchOptions): TrialChoices {
  return { configFile: config, output, engine: gpu ? 'gpu' : engine };
}

type TrialChoices = Omit<TrialOptions, 'progress'>;

/** Runs a search without NNI and prints its result. */
async function searchHere(choices: TrialChoices, json: true | undefined): Promise<void> {
  const { runTrial } = await import('../trial/entry.ts');
  const { createProgress } = await import('./progress.ts');
  const terminal = process.stderr.isTTY ? process.stderr : null;
  const result = await runTrial(
    { ...choices, progress: (log) => createProgress({ logger: log, terminal }) },
    { ...host, variables: withoutNni(process.env) },
  );
  if (json) printJson(result);
  else print(`${result.best.path}  accuracy ${result.best.score}  ${result.best.macs} MACs`);
}

/** A search without NNI stays one, even when it is started from within a trial. */
function withoutNni(variables: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  for (const name of Object.keys(variables)) {
    if (name.startsWith('NNI_')) Reflect.deleteProperty(variables, name);
  }
  return variables;
}

function report(thrown: unknown): number {
  if (thrown instanceof CommanderError) return thrown.exitCode === 0 ? EXIT.done : EXIT.usage;
  // A signal arrived: the process is about to end by it.
  if (thrown instanceof Error && thrown.name === 'AbortError') return EXIT.failed;
  if (!(thrown instanceof TrialError)) {
    const stack = thrown instanceof Error ? thrown.stack : String(thrown);
    process.stderr.write(`nni-cream: defect: ${stack}\n`);
    return EXIT.defect;
  }
  const label = isColoured ? '\u001b[31merror\u001b[0m' : 'error';
  process.stderr.write(`nni-cream: ${label} ${thrown.code}: ${oneLine(thrown.message)}\n`);
  return EXIT_OF_CODE[thrown.code] ?? EXIT.failed;
}

try {
  await program.parseAsync();
} catch (thrown) {
  // Not process.exit: output that is still on its way must drain.
  process.exitCode = report(thrown);
}

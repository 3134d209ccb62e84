/** Measures one architecture with the weights of a supernet. */

import { join, resolve } from 'node:path';
import { writeAtomically } from '../foundation/atomic-file.ts';
import { parseDocument, readText } from '../foundation/documents.ts';
import { exists } from '../foundation/files.ts';
import type { Evaluation } from '../generated/evaluation.ts';
import { EVALUATION_FILE, parseEvaluation } from '../run-folder/study-result.ts';
import { parseArchitecture } from '../searchspace/architecture.ts';
import { pathCost } from '../searchspace/cost.ts';
import { pathOfNames, pathSample, pathText } from '../searchspace/path.ts';
import type { Path, SearchSpace } from '../searchspace/space.ts';
import { scorePath } from '../selection/score.ts';
import { inheritWeights, requireKey, type Inheritance } from './inheritance.ts';
import type { Connection, TaskHost } from './task.ts';
import { pauseFor, versionsOf, type Workspace } from './workspace.ts';

/** Measures the architecture that the config names. */
export async function evaluate(workspace: Workspace, host: TaskHost): Promise<Evaluation> {
  const { config, space, output } = workspace;
  const arch = requireKey(config.arch, 'arch', 'the architecture that is to be measured');
  const path = await readArchitecture(space, arch, config.directory);
  const weights = await inheritWeights(workspace, host);
  const connection = await host.connect(output);
  try {
    return await measure({ path, weights }, workspace, { ...host, connection });
  } finally {
    await connection.close();
  }
}

/** A path of a supernet with inherited weights. */
interface Inherited {
  readonly path: Path;
  readonly weights: Inheritance;
}

/** Measures a path on held-out and test images, reports it, and writes `evaluation.json`. */
export async function measure(
  { path, weights }: Inherited,
  { space, images, supernet, output }: Workspace,
  host: TaskHost & { readonly connection: Connection },
): Promise<Evaluation> {
  const { connection, identity } = host;
  const { calibration, ranking } = images.heldOut;
  const pause = (): Promise<void> => pauseFor(host);
  const { accuracy, crossEntropy } = await scorePath(supernet, path, {
    calibration,
    images: ranking,
    pause,
  });
  const test = images.test;
  const tested = test && (await scorePath(supernet, path, { calibration, images: test, pause }));
  const { macs, params } = pathCost(space, path);
  await connection.emit({
    kind: 'answer',
    metrics: { default: accuracy, crossEntropy, macs, params },
  });
  const evaluation: Evaluation = {
    format: 'nni-cream-evaluation/1',
    arch: { sample: pathSample(space, path), path: pathText(space, path) },
    weights: { ...weights },
    accuracy,
    crossEntropy,
    images: images.split.ranking.length,
    testAccuracy: tested?.accuracy ?? null,
    macs,
    params,
    provenance: {
      trialId: identity.trialJobId,
      experimentId: identity.experimentId,
      versions: versionsOf(supernet),
    },
  };
  const file = join(output, EVALUATION_FILE);
  await writeAtomically(file, `${JSON.stringify(parseEvaluation(evaluation, file), null, 2)}\n`);
  await connection.settle();
  return evaluation;
}

/**
 * Reads an architecture: a file in any form of `nas/`, a result, a digit code, candidate names with
 * spaces between, or the name of a published net.
 *
 * @param directory - Base of a relative path.
 * @throws TrialError ARCHITECTURE_INVALID, FILE_UNREADABLE
 */
async function readArchitecture(
  space: SearchSpace,
  arch: string,
  directory: string,
): Promise<Path> {
  const file = resolve(directory, arch);
  if (arch.endsWith('.json') || (await exists(file))) {
    const document = parseDocument(await readText(file), file, 'ARCHITECTURE_INVALID');
    return parseArchitecture(space, document, file);
  }
  const names = arch.trim().split(/\s+/);
  if (names.length > 1) return pathOfNames(space, names, 'arch');
  return parseArchitecture(space, arch, 'arch');
}

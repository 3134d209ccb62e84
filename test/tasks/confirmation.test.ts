import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { writeShapes } from '../../src/data/obtain/shapes.ts';
import type { SearchResult } from '../../src/generated/result.ts';
import { pathText } from '../../src/searchspace/path.ts';
import { drawPaths } from '../../src/selection/draws.ts';
import { answersOf } from '../../src/selection/score.ts';
import { judge } from '../../src/selection/verdict.ts';
import type { Images } from '../../src/tasks/images.ts';
import { search } from '../../src/tasks/search.ts';
import { verdictLine } from '../../src/tasks/verdict-line.ts';
import { openWorkspace, type Workspace } from '../../src/tasks/workspace.ts';
import type { TaskEvent } from '../../src/training/events.ts';
import { changedConfig, writeTinySearch, type TinySearch } from '../e2e/support.ts';
import { recordingHost, requestOf, runRequest } from '../support/task.ts';

const RANDOM_PATHS = 4;
const SEED = 2;

let tiny: TinySearch;
let runs = 0;

before(async () => {
  tiny = await writeTinySearch();
  const path = join(tiny.folder, 'many');
  await writeShapes(path, { classes: 3, train: 2700, test: 30, size: 16, seed: 1 });
});
after(() => {
  rmSync(tiny.folder, { recursive: true });
});

function configOf(changes: object): string {
  const own = { epochs: 1, baselinePaths: RANDOM_PATHS, seed: SEED, algorithm: 'spos' };
  const selection = { strategy: 'random', paths: 6 };
  return changedConfig(tiny, `config-${runs++}`, { ...own, selection, ...changes });
}

interface Searched {
  readonly result: SearchResult;
  readonly events: readonly TaskEvent[];
  readonly lines: readonly string[];
}

/** Searches on images that leave some to confirm the answer. */
async function searchMany(
  change: (images: Images) => Images,
  inspect: (workspace: Workspace, result: SearchResult) => Promise<void> = () => Promise.resolve(),
): Promise<Searched> {
  const { host, events, lines } = recordingHost();
  const config = configOf({ data: { path: 'many' } });
  const request = requestOf(config, join(tiny.folder, `out-${runs++}`));
  const result = await openWorkspace(request, host, async (opened) => {
    const workspace = { ...opened, images: change(opened.images) };
    const found = await search(workspace, host);
    await inspect(workspace, found);
    return found;
  });
  return { result, events, lines };
}

describe('the confirmation of an answer', { timeout: 300_000 }, () => {
  it('measures it and random paths on the images that chose nothing', async () => {
    const { result, events, lines } = await searchMany(
      (images) => images,
      async ({ space, sampling, images, supernet }, { best, confirmation, verdict, baselines }) => {
        assert.deepEqual(
          images.confirmation.map(({ count }) => count),
          [30],
        );
        const pause = (): Promise<void> => Promise.resolve();
        const data = {
          calibration: images.heldOut.calibration,
          images: images.confirmation,
          pause,
        };
        const hitsOf = async (path: readonly number[]) =>
          (await answersOf(supernet, path, data)).hits;
        const draw = { sampling, seed: SEED, stream: 'baseline' };
        const random = [];
        for (const path of drawPaths(space, draw, RANDOM_PATHS)) random.push(await hitsOf(path));
        const paths = drawPaths(space, { ...draw, stream: 'selection' }, 6);
        const own = await hitsOf(paths.find((path) => pathText(space, path) === best.path)!);
        assert.deepEqual(verdict, judge(own, random));
        const shares = [own, ...random].map((hits) => hits.reduce((a, b) => a + b) / 30);
        assert.equal(confirmation.accuracy, shares[0]);
        assert.equal(baselines.randomPaths!.max, Math.max(...shares.slice(1)));
      },
    );
    assert.deepEqual([result.data.rankingImages, result.data.confirmationImages], [60, 30]);
    assert.equal(result.confirmation.images, 30);
    const final = events.find(({ kind }) => kind === 'answer');
    assert.ok(final?.kind === 'answer');
    assert.equal(final.metrics.default, result.confirmation.accuracy);
    const line = verdictLine(result)!;
    assert.ok(lines.some((each) => each.includes(line) && each.includes('selection by random')));
  });

  it('changes nothing before it: with other images the same paths are trained and chosen', async () => {
    const blacked = (images: Images): Images => ({
      ...images,
      confirmation: images.confirmation.map((batch) => ({
        ...batch,
        images: batch.images.map(() => 0),
      })),
    });
    const [plain, black] = [await searchMany((images) => images), await searchMany(blacked)];
    const chosen = ({ best, ranking, board, selection }: SearchResult) => {
      return { best, ranking, board, selection };
    };
    assert.deepEqual(chosen(black.result), chosen(plain.result));
    const epochs = ({ events }: Searched) =>
      events.flatMap((event) => (event.kind === 'epoch' ? event.metrics : []));
    const timeless = epochs(plain).map(({ imagesPerSecond: _, ...metrics }) => metrics);
    assert.deepEqual(
      epochs(black).map(({ imagesPerSecond: _, ...metrics }) => metrics),
      timeless,
    );
    assert.notEqual(black.result.confirmation.crossEntropy, plain.result.confirmation.crossEntropy);
  });

  it('has too few images in a small set, and takes those that chose', async () => {
    const { result } = await runRequest(configOf({}), join(tiny.folder, 'small'));
    const { confirmation, verdict, best, data, baselines } = result.result as SearchResult;
    assert.deepEqual([data.rankingImages, data.confirmationImages], [8, 0]);
    assert.deepEqual(confirmation, {
      images: 0,
      accuracy: best.score,
      crossEntropy: best.crossEntropy,
    });
    assert.equal(verdict?.betterThanRandom, 'too-few-images');
    assert.equal(baselines.randomPaths?.n, RANDOM_PATHS);
  });

  it('gives no verdict without random paths', async () => {
    const config = configOf({ baselinePaths: 0 });
    const { result, lines } = await runRequest(config, join(tiny.folder, 'alone'));
    const { verdict, baselines } = result.result as SearchResult;
    assert.deepEqual([verdict, baselines.randomPaths], [null, null]);
    assert.ok(!lines.some((line) => line.includes('better than random')));
  });

  it('takes the cheapest of equal scores for the answer, and names the others', async () => {
    const selection = { strategy: 'random', paths: 40, images: 1 };
    const config = configOf({ scoreBy: 'accuracy', pathsPerStep: 1, selection });
    const { result, lines } = await runRequest(config, join(tiny.folder, 'ties'));
    const { best, ranking, selection: picked } = result.result as SearchResult;
    const equal = ranking.filter(({ score }) => score === best.score);
    assert.ok(equal.length > 1, '8 networks and 8 images');
    assert.deepEqual(picked.ties, equal.slice(1).map(({ path }) => path)); // prettier-ignore
    assert.ok(equal.every(({ macs }) => best.macs <= macs));
    assert.ok(lines.some((line) => line.includes(`not cheaper: ${picked.ties.join(', ')}`)));
  });
});

import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { costReport, renderCost, type CostRequest } from '../../src/cli/cost.ts';
import { TrialError } from '../../src/foundation/errors.ts';
import { ROOT } from '../support/spaces.ts';

const macro = join(ROOT, 'nni-config/skeletons/nas-bench-macro.json');
const cream = join(ROOT, 'nni-config/skeletons/cream.json');

async function refuse(request: CostRequest, code: string, part: string): Promise<void> {
  await assert.rejects(costReport(request), (thrown: unknown) => {
    assert.ok(thrown instanceof TrialError, String(thrown));
    assert.equal(thrown.code, code);
    assert.ok(thrown.message.includes(part), thrown.message);
    return true;
  });
}

describe('costReport', () => {
  it('prices a digit code', async () => {
    const { macs, params, network } = await costReport({ skeleton: macro, arch: '22222211' });
    assert.deepEqual([macs, params, network], [92_070_400, 2_077_034, 'nas-bench-macro']);
  });

  it("prices a published net with the net's own depths and resolution, in both decodings", async () => {
    const released = await costReport({ skeleton: cream, arch: 'cream-14' });
    assert.deepEqual([released.macs, released.imageSize], [13_188_608, 64]);
    const literal = await costReport({ skeleton: cream, arch: 'cream-14', decoding: 'literal' });
    assert.equal(literal.macs, 14_501_888);
  });

  it('splits the sum into kinds and blocks that add up', async () => {
    const report = await costReport({ skeleton: cream, arch: 'cream-287' });
    assert.equal(report.conv + report.linear, report.macs);
    for (const column of [
      'macs',
      'params',
      'conv',
      'linear',
      'bias',
      'batchNorm',
      'pooled',
    ] as const) {
      const sum = report.blocks.reduce((total, block) => total + block[column], 0);
      assert.equal(sum, report[column], column);
    }
    const [text] = renderCost(report).split('\n').slice(-1);
    assert.match(text ?? '', /^total +276262016 +6044368 +274982016 +1280000/);
  });

  it('prices an architecture file', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'cost-'));
    try {
      const arch = join(folder, 'arch.json');
      const labels = Array.from({ length: 8 }, (_, i) => [`layer_${i}`, 'mb6_k5']);
      await writeFile(arch, JSON.stringify(Object.fromEntries(labels)));
      assert.equal((await costReport({ skeleton: macro, arch })).macs, 105_660_928);
      await refuse({ skeleton: macro, arch, decoding: 'published' }, 'USAGE', 'cream-14');
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it('says what is wrong with the request', async () => {
    await refuse({ skeleton: macro, arch: 'cream-14' }, 'ARCHITECTURE_INVALID', 'family "cream"');
    await refuse({ skeleton: macro, arch: '2222' }, 'ARCHITECTURE_INVALID', 'found 4');
    await refuse({ skeleton: macro, arch: 'cream-15' }, 'FILE_UNREADABLE', 'cream-15');
    await refuse({ skeleton: `${macro}x`, arch: '2' }, 'FILE_UNREADABLE', 'ENOENT');
  });
});

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import { PACKAGE_ROOT } from '../../src/engine/library.ts';
import { loadTensorFlow } from '../../src/engine/load.ts';
import { assertSupported, unsupportedReason } from '../../src/engine/platform.ts';

const NODES = join(PACKAGE_ROOT, 'test', 'node-versions');
const PROBE = join(PACKAGE_ROOT, 'test', 'support', 'engine-probe.ts');

/** Result hash of a fresh process with the given Node and thread count. */
function probe(node: string, threads: number): string {
  const args = ['--import', 'tsx', PROBE, String(threads)];
  return execFileSync(node, args, { cwd: PACKAGE_ROOT, encoding: 'utf8' }).trim();
}

describe('loadTensorFlow', () => {
  let expected: string;
  before(() => {
    expected = probe(process.execPath, 2);
    if (existsSync(join(NODES, 'node_modules', 'node26'))) return;
    execFileSync('npm', ['ci', '--ignore-scripts', '--no-bin-links'], { cwd: NODES });
  });

  for (const version of [22, 24, 26]) {
    it(`computes the same on Node ${version} with the same addons`, () => {
      const node = join(NODES, 'node_modules', `node${version}`, 'bin', 'node');
      assert.match(execFileSync(node, ['--version'], { encoding: 'utf8' }), RegExp(`^v${version}`));
      assert.equal(probe(node, 2), expected);
    });
  }

  it('computes the own depthwise gradient independently of the thread count', () => {
    assert.equal(probe(process.execPath, 1), expected);
  });

  it('names the command to run where no engine is installed', async () => {
    const engineRoot = mkdtempSync(join(tmpdir(), 'engine-'));
    const load = loadTensorFlow({ engine: 'cpu', environment: {}, engineRoot });
    await assert.rejects(load, { code: 'ENGINE_MISSING', message: /nni-cream engine install$/ });
    rmSync(engineRoot, { recursive: true });
  });

  it('computes in pure JavaScript only when asked to', async () => {
    const { tf, installed, ownOps } = await loadTensorFlow({ engine: 'js', environment: {} });
    assert.equal(tf.getBackend(), 'cpu');
    assert.equal(installed, undefined);
    assert.equal(ownOps, false);
    assert.deepEqual([...tf.add([1, 2], [3, 4]).dataSync()], [4, 6]);
  });
});

describe('dependencies', () => {
  it('hold one tfjs-core, so that kernels and tensors meet on one engine', () => {
    const text = readFileSync(join(PACKAGE_ROOT, 'package-lock.json'), 'utf8');
    const { packages } = JSON.parse(text) as { packages: Record<string, unknown> };
    const copies = Object.keys(packages).filter((key) => key.endsWith('@tensorflow/tfjs-core'));
    assert.deepEqual(copies, ['node_modules/@tensorflow/tfjs-core']);
    const require = createRequire(import.meta.url);
    const ours = require.resolve('@tensorflow/tfjs-core');
    const native = createRequire(require.resolve('@tensorflow/tfjs-node-gpu'));
    assert.equal(native.resolve('@tensorflow/tfjs-core'), ours);
  });
});

describe('assertSupported', () => {
  const supported = { platform: 'linux', arch: 'x64', version: 'v22.13.0' };

  it('accepts the even Node versions from 20.19 to 26', () => {
    for (const version of ['v20.19.0', 'v22.13.0', 'v24.21.0', 'v26.10.0']) {
      assert.equal(unsupportedReason({ ...supported, version }), undefined);
    }
  });

  it('names what is not supported', () => {
    const wrong = [
      [{ version: 'v20.18.3' }, 'Node v20.18.3'],
      [{ version: 'v18.20.0' }, 'Node v18.20.0'],
      [{ version: 'v22.12.0' }, 'Node v22.12.0'],
      [{ version: 'v27.0.0' }, 'Node v27.0.0'],
      [{ platform: 'darwin', arch: 'arm64' }, 'darwin-arm64'],
    ] as const;
    for (const [change, reason] of wrong) {
      assert.equal(unsupportedReason({ ...supported, ...change }), reason);
    }
    assert.throws(
      () => {
        assertSupported({ ...supported, arch: 'arm64' });
      },
      { code: 'ENVIRONMENT_UNSUPPORTED' },
    );
  });
});

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { createHash } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { silentLogger } from '../../src/foundation/logger.ts';
import { hashBuildInputs } from '../../src/engine/install/compile.ts';
import { cudaRequirements } from '../../src/engine/install/cuda.ts';
import { describeFiles } from '../../src/engine/install/files.ts';
import { installEngine, type InstallOptions } from '../../src/engine/install/install.ts';
import {
  DEFAULT_ENGINE_ROOT,
  DEFAULT_TENSORFLOW,
  MANIFEST_FILE,
  engineFolder,
  findEngine,
  inspectEngine,
  type EngineManifest,
} from '../../src/engine/library.ts';

const LIBRARY = join('lib', 'libtensorflow_cc.so.2');
const EMPTY_ZIP = Buffer.concat([Buffer.from('PK\x05\x06', 'latin1'), Buffer.alloc(18)]);

describe('installEngine', () => {
  let scratch: string;
  let engineRoot: string;
  let source: string;
  let options: InstallOptions;

  /** Describes small files as a complete engine, which takes the place of 850 MB of libraries. */
  async function writeEngine(folder: string, change: Partial<EngineManifest> = {}): Promise<void> {
    mkdirSync(join(folder, 'lib'), { recursive: true });
    writeFileSync(join(folder, LIBRARY), 'a library');
    const real = inspectEngine(engineFolder(DEFAULT_ENGINE_ROOT, 'cpu', DEFAULT_TENSORFLOW));
    assert.equal(real.state, 'complete');
    const manifest: EngineManifest = {
      ...real.engine.manifest,
      buildInputs: hashBuildInputs(),
      files: await describeFiles(folder, [LIBRARY]),
      ...change,
    };
    writeFileSync(join(folder, MANIFEST_FILE), JSON.stringify(manifest));
  }

  beforeEach(async () => {
    scratch = mkdtempSync(join(tmpdir(), 'engine-'));
    engineRoot = join(scratch, 'engines');
    source = join(scratch, 'source');
    await writeEngine(source);
    options = { engineRoot, from: source, logger: silentLogger };
  });
  afterEach(() => {
    rmSync(scratch, { recursive: true });
  });

  it('does nothing the second time', async () => {
    const { folder } = await installEngine(options);
    const first = statSync(join(folder, LIBRARY));
    await installEngine(options);
    assert.equal(statSync(join(folder, LIBRARY)).ino, first.ino);
    assert.deepEqual(readdirSync(engineRoot), [`cpu-${DEFAULT_TENSORFLOW}`]);
  });

  it('repairs an engine whose manifest was never written', async () => {
    const { folder } = await installEngine(options);
    rmSync(join(folder, MANIFEST_FILE));
    assert.equal(findEngine(engineRoot, 'cpu').state, 'damaged');
    await installEngine(options);
    assert.equal(findEngine(engineRoot, 'cpu').state, 'complete');
  });

  it('repairs an engine whose library is cut off', async () => {
    const { folder } = await installEngine(options);
    truncateSync(join(folder, LIBRARY), 3);
    const found = inspectEngine(folder);
    assert.match(found.state === 'damaged' ? found.reason : '', /has 3 bytes instead of 9/);
    await installEngine(options);
    assert.equal(readFileSync(join(folder, LIBRARY), 'utf8'), 'a library');
  });

  it('rebuilds an engine whose addons come from other sources', async () => {
    const folder = engineFolder(engineRoot, 'cpu', DEFAULT_TENSORFLOW);
    await writeEngine(folder, { buildInputs: 'older' });
    const { manifest } = await installEngine(options);
    assert.equal(manifest.buildInputs, hashBuildInputs());
  });

  it('survives another installer at the same time', async () => {
    const installed = await Promise.all([1, 2, 3].map(() => installEngine(options)));
    assert.equal(new Set(installed.map(({ folder }) => folder)).size, 1);
    assert.deepEqual(readdirSync(engineRoot), [`cpu-${DEFAULT_TENSORFLOW}`]);
    assert.equal(findEngine(engineRoot, 'cpu').state, 'complete');
  });

  it('removes what a killed installer left, but not what a running one builds', async () => {
    const { pid } = spawnSync('true');
    const abandoned = join(engineRoot, `.build-${pid}-x`);
    const busy = join(engineRoot, `.build-${process.pid}-x`);
    mkdirSync(abandoned, { recursive: true });
    mkdirSync(busy);
    await installEngine(options);
    assert.equal(existsSync(abandoned), false);
    assert.equal(existsSync(busy), true);
  });

  it('refuses a copy with a changed byte', async () => {
    writeFileSync(join(source, LIBRARY), 'A library');
    await assert.rejects(installEngine(options), { code: 'ENGINE_UNUSABLE' });
    assert.deepEqual(readdirSync(engineRoot), []);
  });

  it('refuses a wheel with another hash than the pinned one', async () => {
    const wheel = join(scratch, 'tensorflow_cpu-2.21.0-cp311.whl');
    writeFileSync(wheel, EMPTY_ZIP);
    // Any command that knows --version: nothing is compiled before the hash is right.
    const install = installEngine({ ...options, from: scratch, compiler: process.execPath });
    await assert.rejects(install, { code: 'DOWNLOAD_FAILED', message: /wanted sha256 2b847d217/ });
    assert.deepEqual(readdirSync(engineRoot), []);
  });

  it('takes the hash that it is given, and says what a wheel lacks', async () => {
    const wheel = join(scratch, 'tensorflow_cpu-2.21.0-cp311.whl');
    writeFileSync(wheel, EMPTY_ZIP);
    const sha256 = createHash('sha256').update(EMPTY_ZIP).digest('hex');
    const install = installEngine({
      ...options,
      from: wheel,
      sha256,
      compiler: process.execPath,
    });
    await assert.rejects(install, { code: 'ENGINE_UNUSABLE', message: /no libtensorflow_cc/ });
  });

  it('names the package to install where there is no compiler', async () => {
    const install = installEngine({ ...options, from: scratch, compiler: 'no-such-compiler' });
    await assert.rejects(install, {
      code: 'ENGINE_BUILD_FAILED',
      message: /apt-get install g\+\+/,
    });
    assert.deepEqual(readdirSync(engineRoot), []);
  });

  it('says so where Python or the index is missing', async () => {
    const download = { engineRoot, logger: silentLogger, compiler: process.execPath };
    const noPython = installEngine({ ...download, python: 'no-such-python' });
    await assert.rejects(noPython, { code: 'ENVIRONMENT_UNSUPPORTED', message: /python3-venv/ });
    const noIndex = installEngine({ ...download, python: 'false' });
    await assert.rejects(noIndex, { code: 'DOWNLOAD_FAILED', message: /--from/ });
  });
});

describe('cudaRequirements', () => {
  it("takes the and-cuda extra out of the wheel's metadata", () => {
    const metadata = [
      'Requires-Dist: numpy>=1.26.0',
      'Requires-Dist: nvidia-cudnn-cu12<10.0,>=9.3.0.75; extra == "and-cuda"',
      'Requires-Dist: tensorflow-io-gcs-filesystem>=0.23.1; extra == "gcs"',
      'Requires-Dist: nvidia-nccl-cu12<3.0,>=2.27.7; extra == "and-cuda"',
    ];
    assert.deepEqual(cudaRequirements(metadata.join('\n')), [
      'nvidia-cudnn-cu12<10.0,>=9.3.0.75',
      'nvidia-nccl-cu12<3.0,>=2.27.7',
    ]);
  });
});

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { diagnose, renderDiagnosis, thisMachine, type Machine } from '../../src/cli/doctor.ts';
import { TrialError } from '../../src/foundation/errors.ts';
import type { EngineManifest } from '../../src/engine/library.ts';

const MANIFEST: EngineManifest = {
  format: 1,
  variant: 'cpu',
  version: '2.21.0',
  wheelSha256: '',
  compiler: '',
  buildInputs: '',
  cudaLibraries: false,
  ownOps: true,
  files: {},
};

const HEALTHY: Machine = {
  platform: { platform: 'linux', arch: 'x64', version: 'v24.1.0' },
  environment: {},
  processors: 8,
  python: 'python3',
  freeBytes: 50e9,
  engine: (variant) =>
    variant === 'cpu'
      ? { state: 'complete', engine: { folder: '/engine', manifest: MANIFEST } }
      : { state: 'absent' },
  load: () => Promise.resolve({ version: '2.21.0', devices: ['CPU'] }),
  run: (command) =>
    Promise.resolve({
      status: 0,
      output: command === 'g++' ? 'g++ 12.2.0\nmore' : '3.11.7\n3.0\n',
      notFound: false,
    }),
};

const failing = (output: string, notFound: boolean): Machine['run'] => {
  return () => Promise.resolve({ status: 1, output, notFound });
};

async function problemsOf(change: Partial<Machine>): Promise<string[]> {
  const { problems } = await diagnose({ ...HEALTHY, ...change });
  return problems.map(({ what, next }) => `${what}: ${next}`);
}

describe('diagnose', () => {
  it('finds no problem on a machine that has everything', async () => {
    const diagnosis = await diagnose(HEALTHY);
    assert.deepEqual(diagnosis.problems, []);
    assert.equal(diagnosis.threads, 8);
    assert.equal(diagnosis.compiler, 'g++ 12.2.0');
    assert.equal(diagnosis.python, '3.11.7');
    assert.equal(diagnosis.nni, '3.0');
    assert.match(renderDiagnosis(diagnosis), /No problem found\.$/);
  });

  it("tells TensorFlow's settings from the environment", async () => {
    const environment = { TF_NUM_INTRAOP_THREADS: '3', TF_ENABLE_ONEDNN_OPTS: '0' };
    const { threads, oneDnn } = await diagnose({ ...HEALTHY, environment });
    assert.deepEqual({ threads, oneDnn }, { threads: 3, oneDnn: false });
  });

  it('passes on what to do about an engine that does not load', async () => {
    const missing = new TrialError('ENGINE_MISSING', {
      where: '.engine',
      wanted: 'an engine',
      found: 'none',
      next: 'Run: npx nni-cream engine install',
    });
    const diagnosis = await diagnose({ ...HEALTHY, load: () => Promise.reject(missing) });
    assert.equal(diagnosis.tensorflow, null);
    assert.match(renderDiagnosis(diagnosis), /ENGINE_MISSING\n.*nni-cream engine install/);
  });

  it('does not hide a defect behind advice', async () => {
    const load = (): Promise<never> => Promise.reject(new TypeError('a defect'));
    await assert.rejects(diagnose({ ...HEALTHY, load }), TypeError);
  });

  it('names each problem of a bare machine and what to do about it', async () => {
    const problems = await problemsOf({
      platform: { ...HEALTHY.platform, version: 'v18.0.0' },
      freeBytes: 1e9,
      run: failing('spawn ENOENT', true),
    });
    assert.equal(problems.length, 4);
    const [node, disk, compiler, python] = problems;
    assert.match(node!, /v18\.0\.0 is not supported/);
    assert.match(disk!, /1\.0 GB of free disk space/);
    assert.match(compiler!, /apt-get install g\+\+/);
    assert.match(python!, /no Python/);
  });

  it('tells a Python without NNI from one that NNI does not run on', async () => {
    const without = await problemsOf({ run: failing('3.10.1\nPackageNotFoundError', false) });
    assert.match(without.at(-1)!, /^no NNI in python3/);
    const tooNew = await problemsOf({ run: failing('3.13.0\nPackageNotFoundError', false) });
    assert.match(tooNew.at(-1)!, /^Python 3\.13\.0, which NNI 3\.0 does not run on/);
  });

  it('says that an engine without the own operations is slow', async () => {
    const engine: Machine['engine'] = () => ({
      state: 'complete',
      engine: { folder: '/engine', manifest: { ...MANIFEST, ownOps: false } },
    });
    const [problem] = await problemsOf({ engine });
    assert.match(problem!, /did not compile.*remove \/engine/);
  });

  it('finds the installed library and its device on this machine', async () => {
    const { tensorflow, engines } = await diagnose(thisMachine(process.env));
    assert.equal(tensorflow?.version, '2.21.0');
    assert.deepEqual(tensorflow.devices, ['CPU']);
    assert.match(engines.cpu ?? '', /with own operations/);
  });
});

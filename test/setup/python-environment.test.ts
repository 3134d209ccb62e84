import assert from 'node:assert/strict';
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { ensurePythonEnvironment } from '../../scripts/setup/python-environment.ts';
import { silentLogger } from '../../src/foundation/logger.ts';

let scratch: string;
let lines: string[];
beforeEach(() => {
  scratch = mkdtempSync(join(tmpdir(), 'nni-cream-python-'));
  lines = [];
});
afterEach(() => {
  rmSync(scratch, { recursive: true });
});

/** A `python` whose `-m venv FOLDER` makes an environment, the pip of which ends with a status. */
function fakePython(pipStatus: number): string {
  const file = join(scratch, `python-${pipStatus}`);
  const script = `#!/bin/sh
mkdir -p "$3/bin"
ln -s /bin/true "$3/bin/python"
printf '#!/bin/sh\\necho "$@" > ${scratch}/pip-arguments\\necho "ERROR: no matching distribution" >&2\\nexit ${pipStatus}\\n' > "$3/bin/pip"
chmod +x "$3/bin/pip"
`;
  writeFileSync(file, script);
  chmodSync(file, 0o755);
  return file;
}

function ensure(python: string, name = 'environment'): void {
  ensurePythonEnvironment({
    folder: join(scratch, name),
    python,
    env: process.env,
    logger: { log: (_level, message) => lines.push(message) },
  });
}

describe('the Python environment', () => {
  it('holds NNI 3.0 with the limits that it needs today, and a reader of checkpoints', () => {
    ensure(fakePython(0));
    assert.equal(
      readFileSync(join(scratch, 'pip-arguments'), 'utf8').trim(),
      'install --quiet --no-input nni==3.0 setuptools<81 filelock<3.12 typeguard>=3,<4.1.3 safetensors[numpy]==0.6.2',
    );
  });

  it('is left alone once it is complete', () => {
    ensure(fakePython(0));
    ensure('no-such-python');
    assert.equal(lines.length, 1);
  });

  it('is built anew after an interruption', () => {
    assert.throws(
      () => {
        ensure(fakePython(1));
      },
      { code: 'NNI_UNAVAILABLE' },
    );
    writeFileSync(join(scratch, 'environment/half-installed'), '');
    ensure(fakePython(0));
    assert.equal(existsSync(join(scratch, 'environment/half-installed')), false);
    ensure('no-such-python');
  });

  it('is built anew after it was moved, because its scripts name their folder', () => {
    ensure(fakePython(0));
    renameSync(join(scratch, 'environment'), join(scratch, 'moved'));
    ensure(fakePython(0), 'moved');
    assert.equal(lines.length, 2);
  });

  it('says what pip said and what to do when pip fails', () => {
    assert.throws(
      () => {
        ensure(fakePython(1));
      },
      {
        code: 'NNI_UNAVAILABLE',
        message: /pip install .*found ERROR: no matching distribution\. PyPI must be reachable/,
      },
    );
  });

  it('needs the network, and says so when the real pip has none', () => {
    const python = '.python/bin/python';
    const env = {
      ...process.env,
      PIP_INDEX_URL: 'http://127.0.0.1:9/simple',
      PIP_FIND_LINKS: '',
      PIP_RETRIES: '0',
      PIP_NO_CACHE_DIR: '1',
    };
    assert.throws(
      () => {
        ensurePythonEnvironment({
          folder: join(scratch, 'real'),
          python,
          env,
          logger: silentLogger,
        });
      },
      { code: 'NNI_UNAVAILABLE', message: /found ERROR: .*nni==3\.0.* PyPI must be reachable/ },
    );
  });
});

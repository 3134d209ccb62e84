import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  mkdtempSync,
  mkdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { checkNode, checkPlatform } from '../../scripts/setup/machine.mjs';

const scratch = mkdtempSync(join(tmpdir(), 'nni-cream-machine-'));
after(() => {
  rmSync(scratch, { recursive: true });
});

/** A PATH folder with these commands, each a shell script that does what is given. */
function pathWith(scripts: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(scratch, 'path-'));
  for (const [name, body] of Object.entries(scripts)) {
    writeFileSync(join(folder, name), `#!/bin/sh\n${body}\n`);
    chmodSync(join(folder, name), 0o755);
  }
  return folder;
}

function bootstrap(env: NodeJS.ProcessEnv, script = 'scripts/bootstrap.mjs') {
  return spawnSync(process.execPath, [script, 'start'], { env, encoding: 'utf8' });
}

describe('npm start checks the machine before it installs anything, and', () => {
  it('names the package to install when there is no compiler', () => {
    const { status, stderr, stdout } = bootstrap({ PATH: pathWith({ python3: 'echo 3.11' }) });
    assert.equal(status, 1);
    assert.equal(stdout, '');
    assert.equal(
      stderr,
      'ENVIRONMENT_UNSUPPORTED: C++ compiler: wanted g++ on the PATH; found none. Debian and Ubuntu: apt install g++.\n',
    );
  });

  it('says which Python is wanted when there is none', () => {
    const { status, stderr, stdout } = bootstrap({ PATH: pathWith({ 'g++': 'true' }) });
    assert.equal(status, 1);
    assert.equal(stdout, '');
    assert.equal(
      stderr,
      'ENVIRONMENT_UNSUPPORTED: Python: wanted Python 3.9 to 3.11; found none. Install python3.11.\n',
    );
  });

  it('names the version that it found when no Python is one that NNI runs on', () => {
    const { status, stderr } = bootstrap({
      PATH: pathWith({ 'g++': 'true', python3: 'echo 3.13' }),
    });
    assert.equal(status, 1);
    assert.match(
      stderr,
      /^ENVIRONMENT_UNSUPPORTED: Python \(python3\): wanted version 3\.9 to 3\.11/,
    );
    assert.match(stderr, /found 3\.13\. .*NNI_CREAM_PYTHON/);
  });

  it('names the package to install when Python has no venv module', () => {
    const { status, stderr } = bootstrap({
      PATH: pathWith({ 'g++': 'true', 'python3.10': 'echo 3.10; exit 1' }),
    });
    assert.equal(status, 1);
    assert.match(stderr, /Python \(python3\.10\): .*venv.* apt install python3\.10-venv\.\n$/);
  });

  it('looks only at the Python that NNI_CREAM_PYTHON names', () => {
    const { status, stderr } = bootstrap({
      PATH: pathWith({ 'g++': 'true', python3: 'echo 3.11', mine: 'echo 3.8' }),
      NNI_CREAM_PYTHON: 'mine',
    });
    assert.equal(status, 1);
    assert.match(stderr, /Python \(mine\): .*found 3\.8\./);
  });

  it('refuses other systems and other Node versions', () => {
    const unsupported = { code: 'ENVIRONMENT_UNSUPPORTED' };
    const range = '^20.19.0 || ^22.13.0 || ^24.0.0';
    assert.throws(() => {
      checkPlatform('darwin', 'arm64');
    }, unsupported);
    assert.throws(() => {
      checkPlatform('linux', 'arm64');
    }, unsupported);
    for (const version of ['18.20.0', '20.18.1', '21.7.0', '23.1.0', '30.0.0']) {
      assert.throws(
        () => {
          checkNode(version, range);
        },
        unsupported,
        version,
      );
    }
    checkPlatform('linux', 'x64');
    for (const version of ['20.19.0', '20.20.2', '22.13.0', '24.1.0']) checkNode(version, range);
  });
});

describe('npm start reads its arguments before it installs anything, and', () => {
  const start = (...args: string[]) => {
    // Neither a compiler nor a Python: whoever looks for them fails.
    const env = { PATH: pathWith({}) };
    return spawnSync(process.execPath, ['scripts/bootstrap.mjs', 'start', ...args], {
      env,
      encoding: 'utf8',
    });
  };

  it('prints its help', () => {
    for (const flag of ['--help', '-h']) {
      const { status, stdout, stderr } = start(flag);
      assert.deepEqual([status, stderr], [0, '']);
      assert.match(stdout, /^Usage: npm start -- .*\n/);
      for (const option of ['--data', '--port', '--help']) assert.ok(stdout.includes(option));
    }
  });

  it('says how it is used when it does not understand them', () => {
    const { status, stdout, stderr } = start('--dta', 'x');
    assert.deepEqual([status, stdout], [1, '']);
    assert.match(stderr, /^USAGE: npm start: wanted known options; .* Usage: npm start -- /);
  });
});

describe('npm start without a network', () => {
  it('names the step and the command to repeat when npm fails', () => {
    const project = mkdtempSync(join(scratch, 'clone-'));
    for (const file of ['package.json', 'package-lock.json', '.npmrc'])
      cpSync(file, join(project, file));
    for (const folder of ['setup', 'start']) {
      mkdirSync(join(project, 'scripts', folder), { recursive: true });
    }
    for (const file of [
      'scripts/bootstrap.mjs',
      'scripts/setup/machine.mjs',
      'scripts/start/arguments.mjs',
    ]) {
      cpSync(file, join(project, file));
    }
    const path = pathWith({ 'g++': 'true', python3: 'echo 3.11' });
    symlinkSync(process.execPath, join(path, 'node'));
    const { status, stderr } = bootstrap(
      {
        PATH: `${path}:${process.env['PATH'] ?? ''}`,
        HOME: scratch,
        npm_config_registry: 'http://127.0.0.1:9/',
        npm_config_fetch_retries: '0',
        npm_config_cache: join(scratch, 'npm-cache'),
      },
      join(project, 'scripts/bootstrap.mjs'),
    );
    assert.equal(status, 1);
    assert.match(stderr, /ENVIRONMENT_UNSUPPORTED: npm packages: wanted npm ci .* to succeed/);
    assert.match(stderr, /The npm registry must be reachable .* repeat: npm start\.\n$/);
  });
});

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseStartArguments } from '../../scripts/start/arguments.mjs';

describe('the arguments of npm start', () => {
  it('leave the data to the program and the web UI on port 8080', () => {
    assert.deepEqual(parseStartArguments([]), { data: null, port: 8080, help: false });
  });

  it('name the data and the port', () => {
    assert.deepEqual(parseStartArguments(['--data', 'shapes', '--port=8081']), {
      data: 'shapes',
      port: 8081,
      help: false,
    });
  });

  it('are refused with the usage when they are not understood', () => {
    for (const args of [
      ['--port', '0'],
      ['--port', 'x'],
      ['--epochs', '3'],
      ['shapes'],
      ['--data'],
    ]) {
      assert.throws(() => parseStartArguments(args), {
        code: 'USAGE',
        message: /Usage: npm start -- \[--data /,
      });
    }
  });
});

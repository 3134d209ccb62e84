import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { oneLine } from '../../src/cli/one-line.ts';

describe('oneLine', () => {
  it('joins lines, whatever ends them', () => {
    assert.equal(oneLine(' a: \n  b\r\nc\td\n'), 'a: b c d');
  });

  it('shows control characters instead of sending them to the terminal', () => {
    assert.equal(oneLine('a\u001b[2Jb\u0007\u009bc'), 'a\\x1b[2Jb\\x07\\x9bc');
  });
});

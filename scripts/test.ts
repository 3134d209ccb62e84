import { spawnSync } from 'node:child_process';
import { prepare, type Setup } from './setup/prepare.ts';

/** `npm test`: the set-up of `npm start`, then all gates, then all tests. Returns the exit code. */
export async function test(setup: Setup): Promise<number> {
  await prepare(setup);
  for (const script of ['check', 'test:all']) {
    const { status } = spawnSync('npm', ['run', '--silent', script], {
      cwd: setup.root,
      stdio: 'inherit',
    });
    if (status !== 0) return status ?? 1;
  }
  return 0;
}

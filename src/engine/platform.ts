import { TrialError } from '../foundation/errors.ts';

/** What the process runs on; the fields are those of Node's `process`. */
export interface Platform {
  readonly platform: string;
  readonly arch: string;
  readonly version: string;
}

const OLDEST_NODE = [20, 19] as const;
const NEWEST_MAJOR = 26;

/** Says why a platform is not supported, or `undefined` when it is. */
export function unsupportedReason({ platform, arch, version }: Platform): string | undefined {
  if (platform !== 'linux' || arch !== 'x64') return `${platform}-${arch}`;
  const [major = 0, minor = 0] = version.replace('v', '').split('.').map(Number);
  const tooOld = major < OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor < OLDEST_NODE[1]);
  return tooOld || major > NEWEST_MAJOR ? `Node ${version}` : undefined;
}

/** Throws ENVIRONMENT_UNSUPPORTED unless this is Linux on x86-64 with Node 20.19 to 26. */
export function assertSupported(platform: Platform): void {
  const found = unsupportedReason(platform);
  if (found === undefined) return;
  throw new TrialError('ENVIRONMENT_UNSUPPORTED', {
    where: 'this machine',
    wanted: `Linux on x86-64 with Node ${OLDEST_NODE.join('.')} to ${NEWEST_MAJOR}`,
    found,
    next: 'Use a supported machine, or install a supported Node version.',
  });
}

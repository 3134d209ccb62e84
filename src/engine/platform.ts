import { TrialError } from '../foundation/errors.ts';

/** What the process runs on; the fields are those of Node's `process`. */
export interface Platform {
  readonly platform: string;
  readonly arch: string;
  readonly version: string;
}

/** Oldest minor version of each supported major version of Node, as in package.json. */
const OLDEST_MINOR: Readonly<Record<string, number>> = { 20: 19, 22: 13, 24: 0, 26: 0 };

/** What a platform must be, for messages. */
export const SUPPORTED = 'Linux on x86-64 with Node 20 (from 20.19), 22 (from 22.13), 24 or 26';

/** Says why a platform is not supported, or `undefined` when it is. */
export function unsupportedReason({ platform, arch, version }: Platform): string | undefined {
  if (platform !== 'linux' || arch !== 'x64') return `${platform}-${arch}`;
  const [major = '', minor = ''] = version.slice(1).split('.');
  return Number(minor) >= (OLDEST_MINOR[major] ?? Infinity) ? undefined : `Node ${version}`;
}

/** Throws ENVIRONMENT_UNSUPPORTED unless the platform is {@link SUPPORTED}. */
export function assertSupported(platform: Platform): void {
  const found = unsupportedReason(platform);
  if (found === undefined) return;
  throw new TrialError('ENVIRONMENT_UNSUPPORTED', {
    where: 'this machine',
    wanted: SUPPORTED,
    found,
    next: 'Use a supported machine, or install a supported Node version.',
  });
}

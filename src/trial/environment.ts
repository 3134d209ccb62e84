import { TrialError } from '../foundation/errors.ts';
import { STANDALONE, type TrialIdentity } from '../foundation/trial-identity.ts';

/** How this trial reaches NNI. */
export type ChannelAddress =
  | {
      /** NNI 3.0, local and remote. */
      readonly kind: 'http';
      readonly url: string;
    }
  | {
      /** NNI's WebSocket framing; no released NNI gives trials such an address. */
      readonly kind: 'websocket';
      readonly url: string;
    }
  | {
      /** NNI 2.x, local: frames in `.nni/metrics`. */
      readonly kind: 'file';
      readonly systemDirectory: string;
    }
  | {
      /** Every other platform: marked lines on stdout. */
      readonly kind: 'stdout';
      readonly systemDirectory: string;
    }
  | {
      /** No NNI at all. */
      readonly kind: 'standalone';
    };

/**
 * NNI's environment variables for a trial: `NNI_TRIAL_JOB_ID`, `NNI_EXP_ID`, and the following.
 */
export interface Environment extends TrialIdentity {
  readonly channel: ChannelAddress;
  /** `NNI_PLATFORM`, such as `local`; null without NNI. */
  readonly platform: string | null;
  /** `NNI_TRIAL_SEQ_ID`: position of the trial in the experiment, from 0; -1 if unknown. */
  readonly sequenceId: number;
  /** `NNI_OUTPUT_DIR`: where logs and results belong; null without NNI. */
  readonly outputDirectory: string | null;
}

type Variables = Readonly<Record<string, string | undefined>>;

/**
 * Reads NNI's environment variables.
 *
 * @throws TrialError ENVIRONMENT_UNSUPPORTED when the channel's protocol is not supported, a variable
 * of the channel is missing, or the trial's id is invalid.
 */
export function readEnvironment(variables: Variables): Environment {
  const channel = channelAddress(variables);
  const isStandalone = channel.kind === 'standalone';
  const idOf = (name: string): string =>
    isStandalone ? (variables[name] ?? STANDALONE) : required(variables, name);
  return {
    channel,
    platform: variables['NNI_PLATFORM'] ?? null,
    experimentId: idOf('NNI_EXP_ID'),
    trialJobId: checkedId(idOf('NNI_TRIAL_JOB_ID')),
    sequenceId: Number(variables['NNI_TRIAL_SEQ_ID'] ?? 0),
    outputDirectory: isStandalone
      ? (variables['NNI_OUTPUT_DIR'] ?? null)
      : required(variables, 'NNI_OUTPUT_DIR'),
  };
}

/** The id becomes part of an address. NNI's own are five letters and digits. */
function checkedId(id: string): string {
  if (/^[\w-]+$/.test(id)) return id;
  throw new TrialError('ENVIRONMENT_UNSUPPORTED', {
    where: 'NNI_TRIAL_JOB_ID',
    wanted: 'letters, digits, "-" and "_"',
    found: JSON.stringify(id),
    next: 'Start the trial through nnictl, or unset the variable to run without NNI.',
  });
}

/** The choice and its order are NNI's own: a channel URL wins over the platform. */
function channelAddress(variables: Variables): ChannelAddress {
  const url = variables['NNI_TRIAL_COMMAND_CHANNEL'];
  if (url !== undefined && url !== '') return addressOfUrl(url);
  const platform = variables['NNI_PLATFORM'];
  if (platform === undefined || platform === '' || platform === 'unittest') {
    return { kind: 'standalone' };
  }
  const isReused = ['true', 'True'].includes(variables['REUSE_MODE'] ?? '');
  return {
    kind: platform === 'local' && !isReused ? 'file' : 'stdout',
    systemDirectory: required(variables, 'NNI_SYS_DIR'),
  };
}

function addressOfUrl(url: string): ChannelAddress {
  if (url.startsWith('http://') && URL.canParse(url)) return { kind: 'http', url };
  if (/^wss?:\/\//.test(url) && URL.canParse(url)) return { kind: 'websocket', url };
  throw new TrialError('ENVIRONMENT_UNSUPPORTED', {
    where: 'NNI_TRIAL_COMMAND_CHANNEL',
    wanted: 'an http:// or ws:// URL',
    found: `"${url}"`,
    next: url.startsWith('import://')
      ? 'An import:// channel is a Python class, which only a Python trial can load: use a training service of NNI 3.0 itself, such as local.'
      : 'Start the trial through nnictl, or unset the variable to run without NNI.',
  });
}

function required(variables: Variables, name: string): string {
  const value = variables[name];
  if (value !== undefined && value !== '') return value;
  throw new TrialError('ENVIRONMENT_UNSUPPORTED', {
    where: name,
    wanted: 'a value from NNI',
    found: 'none',
    next: 'Start the trial through nnictl, or unset NNI_PLATFORM and NNI_TRIAL_COMMAND_CHANNEL to run without NNI.',
  });
}

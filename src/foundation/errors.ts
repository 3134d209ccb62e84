/** Every failure that a user can act on; `docs/reference/errors.md` has one heading for each. */
export const ERROR_CODES = [
  'ARCHITECTURE_INVALID',
  'BUDGET_UNREACHABLE',
  'CHANNEL_CLOSED',
  'CHANNEL_FAILED',
  'CHECKPOINT_INVALID',
  'CHECKPOINT_MISMATCH',
  'CONFIG_INVALID',
  'DATA_INVALID',
  'DATA_NOT_FOUND',
  'DOWNLOAD_FAILED',
  'ENGINE_BUILD_FAILED',
  'ENGINE_MISSING',
  'ENGINE_UNUSABLE',
  'ENVIRONMENT_UNSUPPORTED',
  'FILE_UNREADABLE',
  'FILE_UNWRITABLE',
  'FOLDER_IN_USE',
  'GPU_NOT_VISIBLE',
  'LOSS_NOT_FINITE',
  'MEMORY_EXHAUSTED',
  'METRICS_UNDELIVERED',
  'METRIC_INVALID',
  'NNI_UNAVAILABLE',
  'NOTHING_TO_RESUME',
  'PARAMETERS_UNEXPECTED',
  'PORT_IN_USE',
  'RESULT_EXISTS',
  'SEARCH_SPACE_INVALID',
  'SKELETON_INVALID',
  'STUDY_STOPPED',
  'TABLE_INVALID',
  'USAGE',
] as const;

/** Stable name of a documented failure. */
export type ErrorCode = (typeof ERROR_CODES)[number];

/** What a {@link TrialError} says: where it happened, what was wanted and found, what to do. */
export interface Complaint {
  /** File, JSON path, label or step concerned. */
  readonly where: string;
  readonly wanted: string;
  readonly found: string;
  /** The next step for the user. */
  readonly next: string;
}

/** Most characters of one part of an error, which may quote a document of any length. */
const MAX_QUOTED = 4000;

function shorten(text: string): string {
  return text.length > MAX_QUOTED ? `${text.slice(0, MAX_QUOTED)}…` : text;
}

/** A failure that the user can act on. Anything else that is thrown is a defect. */
export class TrialError extends Error {
  readonly code: ErrorCode;

  constructor(code: ErrorCode, complaint: Complaint, cause?: unknown) {
    const [where, wanted, found] = [complaint.where, complaint.wanted, complaint.found].map(
      shorten,
    );
    const { next } = complaint;
    super(`${where}: wanted ${wanted}; found ${found}. ${next}`, { cause });
    this.name = 'TrialError';
    this.code = code;
  }
}

/** Text of a thrown value, for the `found` part of an error. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}

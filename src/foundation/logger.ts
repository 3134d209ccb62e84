/** Severity of a log line. */
export type LogLevel = 'debug' | 'info' | 'warning' | 'error';

/** Receives messages for people. Implementations own the destination. */
export interface Logger {
  log(level: LogLevel, message: string): void;
}

/** Discards everything; for tests and for library use. */
export const silentLogger: Logger = { log: () => undefined };

/* Generated from schemas/nni-message.schema.json by `npm run generate`: do not edit. */

/**
 * Any JSON document that crosses the channel between NNI's manager and a trial, at whichever layer of encoding: commands, and the two documents that travel as text inside a command.
 */
export type NniMessage =
  | RequestParameterCommand
  | ParameterCommand
  | MetricCommand
  | NopCommand
  | ByeCommand
  | WireParameterRecord
  | Metric;

/**
 * Trial to manager, exactly once: asks for the parameters.
 */
export interface RequestParameterCommand {
  /**
   * Tag of the command.
   */
  type: 'request_parameter';
}
/**
 * Manager to trial: the answer to the request.
 */
export interface ParameterCommand {
  /**
   * Tag of the command.
   */
  type: 'parameter';
  /**
   * JSON text of a WireParameterRecord.
   */
  parameter: string;
}
/**
 * Trial to manager: one measurement.
 */
export interface MetricCommand {
  /**
   * Tag of the command.
   */
  type: 'metric';
  /**
   * JSON text of a Metric.
   */
  metric: string;
}
/**
 * Either way, WebSocket only: tests the connection and is ignored.
 */
export interface NopCommand {
  /**
   * Tag of the command.
   */
  type: '_nop_';
}
/**
 * Either way, WebSocket only: the sender closes the channel on purpose.
 */
export interface ByeCommand {
  /**
   * Tag of the command.
   */
  type: '_bye_';
  /**
   * Why, for a log.
   */
  reason: string;
}
/**
 * What the tuner chose for one trial. NNI adds keys in some modes, so unknown ones are legal.
 */
export interface WireParameterRecord {
  /**
   * The tuner's number of the record, from 0; null for a trial that was added by hand.
   */
  parameter_id: number | null;
  /**
   * The chosen values by name.
   */
  parameters: {
    [k: string]: unknown;
  };
  /**
   * Who chose: algorithm, customized or resumed.
   */
  parameter_source?: string;
  /**
   * Always 0 without multi-phase; absent in records added by hand.
   */
  parameter_index?: number;
  [k: string]: unknown;
}
/**
 * One measurement of a trial.
 */
export interface Metric {
  /**
   * Number of the parameter record that the trial used, or null where it has none.
   */
  parameter_id: number | null;
  /**
   * Id of the trial that sends.
   */
  trial_job_id: string;
  /**
   * Intermediate or final result.
   */
  type: 'PERIODICAL' | 'FINAL';
  /**
   * Position among the trial's intermediate results, from 0 without a gap; 0 in the final one.
   */
  sequence: number;
  /**
   * JSON text of an object of finite numbers with the key `default`.
   */
  value: string;
}

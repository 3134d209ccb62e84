/* Generated from schemas/study.schema.json by `npm run generate`: do not edit. */

/**
 * A study: searches by several settings and several seeds, each followed by a rank study. Paths are relative to the file.
 */
export interface StudyFile {
  /**
   * Path of this schema, for editors.
   */
  $schema?: string;
  /**
   * Version of the file format.
   */
  version: 1;
  /**
   * Path of the trial config that all searches start from.
   */
  config: string;
  /**
   * Values in place of the config's for all searches, by dotted config key.
   */
  settings: {
    /**
     * A value of a trial config.
     */
    [k: string]:
      | string
      | number
      | boolean
      | {
          [k: string]: unknown;
        };
  };
  /**
   * File of true accuracies: NAS-Bench-Macro's JSON, or CSV with the columns arch and accuracy.
   */
  table: string;
  /**
   * Networks drawn from the table; without it all of them.
   */
  nets?: number;
  /**
   * Seed of the choice of networks and of the bootstrap.
   */
  rankSeed: number;
  /**
   * Seeds that every run is repeated with.
   *
   * @minItems 1
   * @maxItems 1000
   *
   * Items: A seed.
   */
  seeds: [number, ...number[]];
  /**
   * What is compared.
   *
   * @minItems 1
   * @maxItems 1000
   */
  runs: [StudyRunFile, ...StudyRunFile[]];
  /**
   * Budgets for which an architecture is picked again from each trained supernet.
   *
   * @maxItems 100
   */
  budgets: StudyBudgetFile[];
  /**
   * Folder of the study.
   */
  output: string;
}
/**
 * One setting; every other key is a dotted config key with its value.
 */
export interface StudyRunFile {
  /**
   * Name in folders and tables.
   */
  name: string;
  [k: string]: unknown;
}
/**
 * A range of costs.
 */
export interface StudyBudgetFile {
  /**
   * Fewest multiply-accumulates.
   */
  minMacs: number;
  /**
   * Most multiply-accumulates.
   */
  maxMacs: number;
}

/* Generated from schemas/search-space.schema.json by `npm run generate`: do not edit. */

/**
 * What may be chosen under one label.
 */
export type Entry = Choice | LayerChoice;

/**
 * NNI search space file that holds the labels of a network skeleton: each key is a label, each value its candidates. Nothing else may stand in it, because NNI's tuners take every key for a label.
 */
export interface NasSearchSpace {
  [k: string]: Entry;
}
/**
 * One value out of a list; the form that every NNI tuner reads.
 */
export interface Choice {
  /**
   * Kind of the entry.
   */
  _type: 'choice';
  /**
   * Candidate names, in the order in which the tuner counts them; at most 100.
   *
   * @minItems 1
   * @maxItems 100
   */
  _value: [string | number | boolean, ...(string | number | boolean)[]];
}
/**
 * One layer out of a list, as `nnictl ss_gen` of NNI 1.2 to 2.8 wrote it.
 */
export interface LayerChoice {
  /**
   * Kind of the entry.
   */
  _type: 'layer_choice';
  /**
   * Candidate names, in the order in which the tuner counts them; at most 100.
   *
   * @minItems 1
   * @maxItems 100
   */
  _value: [string, ...string[]];
}

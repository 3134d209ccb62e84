/**
 * Named finite numbers of a report. `default` is the optimised one; the algorithm or task declares the
 * others and their units.
 */
export type Metrics = { readonly default: number } & Readonly<Record<string, number>>;

/** The numbers by name in their order, `default` first. */
export function metricEntries({ default: primary, ...others }: Metrics): [string, number][] {
  return [['default', primary], ...Object.entries(others)];
}

/**
 * JSON text of a finite number, a whole one as `1.0` and the negative zero with its sign: readers
 * that tell floats from integers get one kind of number whatever the value.
 */
export function floatText(value: number): string {
  const digits = Object.is(value, -0) ? '-0' : String(value);
  return /^-?\d+$/.test(digits) ? `${digits}.0` : digits;
}

/** Most objects and lists inside one another in anything that is read; the shipped files have 5. */
export const MAX_NESTING = 64;

function isContainer(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

/**
 * Whether objects and lists lie deeper than {@link MAX_NESTING} inside one another, or in a circle:
 * code that calls itself for each of them (cloning, comparing, writing as JSON) would run out of stack.
 */
export function isNestedTooDeeply(value: unknown): boolean {
  let level = [value].filter(isContainer);
  for (let depth = 0; level.length > 0; depth++) {
    if (depth === MAX_NESTING) return true;
    // What several share is looked at once: aliases would otherwise double the work at each level.
    level = [
      ...new Set(level.flatMap((container) => Object.values(container) as unknown[])),
    ].filter(isContainer);
  }
  return false;
}

/** What the pictures have in common. */

/** Size of a picture, in pixels. */
export const SIZE = { width: 1000, height: 480 } as const;

/** Style of all text. */
export const TEXT = { color: '#222', fontFamily: 'sans-serif', fontWeight: 'normal' } as const;
const LINES = { lineStyle: { color: '#e4e4e4' } } as const;

/** An axis of numbers in one panel. */
export function axisOf(name: string, gridIndex: number): object {
  return {
    gridIndex,
    name,
    nameLocation: 'middle',
    type: 'value',
    scale: true,
    nameTextStyle: TEXT,
    axisLabel: TEXT,
    axisLine: { show: true, onZero: false, lineStyle: { color: '#888' } },
    splitLine: LINES,
  };
}

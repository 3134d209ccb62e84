/** Numbers of the benchmark as Markdown. */
import type { OperationTotals } from './operations.ts';

const STEPS = ['spos', 'cream'] as const;

/** Images a second of one program in one block. */
export interface Measurement {
  readonly network: string;
  readonly program: 'nni-cream' | 'PyTorch' | 'PyTorch, tuned malloc';
  readonly spos: number;
  readonly cream: number;
}

/** Medians over the blocks. */
export interface SummaryRow {
  readonly network: string;
  readonly step: (typeof STEPS)[number];
  /** Images a second. */
  readonly ours: number;
  readonly stock: number;
  readonly tuned: number;
}

export function summarise(measurements: readonly Measurement[]): SummaryRow[] {
  const networks = [...new Set(measurements.map(({ network }) => network))];
  return networks.flatMap((network) =>
    STEPS.map((step) => {
      const of = (program: Measurement['program']): number =>
        median(
          measurements
            .filter((each) => each.network === network && each.program === program)
            .map((each) => each[step]),
        );
      return {
        network,
        step,
        ours: of('nni-cream'),
        stock: of('PyTorch'),
        tuned: of('PyTorch, tuned malloc'),
      };
    }),
  );
}

export function comparisonTable(rows: readonly SummaryRow[]): string {
  const header = [
    '| network | step | nni-cream, images/s | PyTorch | PyTorch tuned | ours / PyTorch | ours / tuned |',
    '|---|---|---|---|---|---|---|',
  ];
  const lines = rows.map(({ network, step, ours, stock, tuned }) => {
    const rates = [ours, stock, tuned].map((rate) => rate.toFixed(1));
    const ratios = [ours / stock, ours / tuned].map((ratio) => ratio.toFixed(2));
    return `| ${[network, step, ...rates, ...ratios].join(' | ')} |`;
  });
  return [...header, ...lines].join('\n');
}

/** Operations that a profile lists by name. */
const LISTED = 15;

export function profileTable(
  network: string,
  { step, stepMs, operations }: OperationTotals,
): string {
  const row = (name: string, calls: string, ms: number): string =>
    `| ${name} | ${calls} | ${ms.toFixed(2)} | ${((100 * ms) / stepMs).toFixed(1)} % |`;
  const sum = (of: typeof operations, key: 'calls' | 'ms'): number =>
    of.reduce((total, each) => total + each[key], 0);
  const rest = operations.slice(LISTED);
  return [
    `\n### ${network}, ${step} step`,
    '| call | calls a step | ms | share |',
    '|---|---|---|---|',
    ...operations.slice(0, LISTED).map(({ name, calls, ms }) => row(name, calls.toFixed(1), ms)),
    row(`${rest.length} others`, sum(rest, 'calls').toFixed(1), sum(rest, 'ms')),
    row('JavaScript', '', stepMs - sum(operations, 'ms')),
    row('**step**', sum(operations, 'calls').toFixed(1), stepMs),
  ].join('\n');
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  return ((sorted[Math.floor(middle)] ?? NaN) + (sorted[Math.ceil(middle)] ?? NaN)) / 2;
}

import { ScatterChart } from 'echarts/charts';
import { GridComponent, TitleComponent } from 'echarts/components';
import { init, use } from 'echarts/core';
import { SVGRenderer } from 'echarts/renderers';
import type { Net, RankReport, Score } from '../generated/rank.ts';
import { axisOf, SIZE, TEXT } from './chart.ts';
import { estimateText, SCORE_TITLES } from './render.ts';

use([ScatterChart, GridComponent, TitleComponent, SVGRenderer]);

/** Size of a panel, in pixels. */
const PANEL = { width: 410, height: 330, top: 86 } as const;

/** One of the supernet's scores against the true accuracy. */
interface Panel {
  readonly name: Score['name'];
  readonly axis: string;
  readonly left: number;
  readonly valueOf: (net: Net) => number;
  /** The axis grows to the left where less is better: a good score rises to the right in both. */
  readonly inverse: boolean;
}

const PANELS: readonly Panel[] = [
  {
    name: 'accuracy',
    axis: 'accuracy with inherited weights (%)',
    left: 70,
    valueOf: ({ accuracy }) => 100 * accuracy,
    inverse: false,
  },
  {
    name: 'crossEntropy',
    axis: 'cross-entropy with inherited weights (nats)',
    left: 560,
    valueOf: ({ crossEntropy }) => crossEntropy,
    inverse: true,
  },
];

function titleOf({ name, left }: Panel, scores: readonly Score[]): object {
  const score = scores.find((each) => each.name === name);
  const tau = score === undefined ? '–' : estimateText(score.kendallTau);
  const text = `${SCORE_TITLES[name]}: τ = ${tau}`;
  return { text, left, top: 52, textStyle: { ...TEXT, fontSize: 15 } };
}

/**
 * Draws the networks of a report: true accuracy over accuracy and over cross-entropy, each with its
 * Kendall tau-b.
 *
 * @returns An SVG of 1000 x 480 pixels on white.
 */
export function rankScatter({ space, table, scores, nets }: RankReport): string {
  const chart = init(null, null, { renderer: 'svg', ssr: true, ...SIZE });
  const text = `${nets.length} of ${table.nets} networks of ${space}`;
  chart.setOption({
    animation: false,
    backgroundColor: '#fff',
    title: [
      { text, left: 70, top: 16, textStyle: { ...TEXT, fontSize: 18 } },
      ...PANELS.map((panel) => titleOf(panel, scores)),
    ],
    grid: PANELS.map(({ left }) => ({ left, ...PANEL })),
    xAxis: PANELS.map(({ axis, inverse }, i) => ({ ...axisOf(axis, i), nameGap: 30, inverse })),
    yAxis: PANELS.map((_, i) => ({ ...axisOf('true accuracy (%)', i), nameGap: 42, position: 'left' })), // prettier-ignore
    series: PANELS.map(({ valueOf }, i) => ({
      type: 'scatter',
      xAxisIndex: i,
      yAxisIndex: i,
      symbolSize: 6,
      itemStyle: { color: '#1f5fa8', opacity: 0.6 },
      data: nets.map((net) => [valueOf(net), 100 * net.trueAccuracy]),
    })),
  });
  const svg = chart.renderToSVGString();
  chart.dispose();
  return svg;
}

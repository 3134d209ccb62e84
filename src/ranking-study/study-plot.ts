import { LineChart, ScatterChart } from 'echarts/charts';
import { GridComponent, LegendComponent, TitleComponent } from 'echarts/components';
import { init, use } from 'echarts/core';
import { SVGRenderer } from 'echarts/renderers';
import type { StudyReport, StudyRun } from '../generated/study-report.ts';
import { axisOf, SIZE, TEXT } from './chart.ts';
import { SCORE_TITLES } from './render.ts';

use([LineChart, ScatterChart, GridComponent, LegendComponent, TitleComponent, SVGRenderer]);

const PANELS = [
  { left: 70, width: 380, top: 60, height: 310 },
  { left: 530, width: 440, top: 60, height: 310 },
] as const;

/** Distinguishable with the common kinds of colour blindness; repeated after the last. */
const COLOURS = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#e69f00', '#56b4e9', '#222'] as const;
const FLOOR_COLOUR = '#999';

/** One dot a seed. */
function dotsOf(
  { name, trials }: StudyRun,
  index: number,
  axis: { readonly index: number; readonly xOf: (trial: StudyRun['trials'][number]) => unknown },
): object {
  return {
    name,
    type: 'scatter',
    xAxisIndex: axis.index,
    yAxisIndex: axis.index,
    symbolSize: 10,
    itemStyle: { color: COLOURS[index % COLOURS.length], opacity: 0.75 },
    data: trials.map((trial) => [axis.xOf(trial), trial.crossEntropyTau.value]),
  };
}

/** Where a floor is drawn. */
interface FloorAxis {
  readonly index: number;
  /** Places on the horizontal axis. */
  readonly places: readonly (string | number)[];
  readonly isNamed: boolean;
}

/** A dashed line for each floor, across a panel. */
function floorLines({ floors }: StudyReport, { index, places, isNamed }: FloorAxis): object[] {
  return floors.map(({ name, kendallTau }) => ({
    type: 'line',
    xAxisIndex: index,
    yAxisIndex: index,
    symbol: 'none',
    lineStyle: { color: FLOOR_COLOUR, type: 'dashed', width: 1 },
    endLabel: { show: isNamed, formatter: SCORE_TITLES[name], color: '#555', offset: [-70, -7] },
    data: places.map((place) => [place, kendallTau]),
  }));
}

/**
 * Draws Kendall's tau by cross-entropy of every trial, by run and over the minutes of its training, a
 * dot a seed, with a line for each score that needs no training.
 *
 * @returns An SVG of 1000 x 480 pixels on white.
 */
export function studyPlot(report: StudyReport): string {
  const { runs, table, space } = report;
  const minutes = runs.flatMap(({ trials }) => trials.map(({ seconds }) => seconds / 60));
  const longest = 1.1 * Math.max(...minutes, 0);
  const names = runs.map(({ name }) => name);
  const yAxis = { ...axisOf('Kendall tau by cross-entropy', 0), nameGap: 42, position: 'left' };
  const chart = init(null, null, { renderer: 'svg', ssr: true, ...SIZE });
  chart.setOption({
    animation: false,
    backgroundColor: '#fff',
    title: {
      text: `${table.ranked} networks of ${space}, a dot a seed`,
      left: 70,
      top: 16,
      textStyle: { ...TEXT, fontSize: 18 },
    },
    legend: { data: names, bottom: 14, left: 70, textStyle: TEXT },
    grid: PANELS,
    xAxis: [
      { ...axisOf('run', 0), type: 'category', data: names, nameGap: 30 },
      { ...axisOf('minutes of training', 1), min: 0, max: longest, nameGap: 30, axisLabel: { ...TEXT, showMaxLabel: false } }, // prettier-ignore
    ],
    yAxis: [yAxis, { ...yAxis, gridIndex: 1 }],
    series: [
      ...floorLines(report, { index: 0, places: names, isNamed: false }),
      ...floorLines(report, { index: 1, places: [0, longest], isNamed: true }),
      ...runs.map((run, i) => dotsOf(run, i, { index: 0, xOf: () => run.name })),
      ...runs.map((run, i) => dotsOf(run, i, { index: 1, xOf: ({ seconds }) => seconds / 60 })),
    ],
  });
  const svg = chart.renderToSVGString();
  chart.dispose();
  return svg;
}

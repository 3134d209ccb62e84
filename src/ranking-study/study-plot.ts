import { ScatterChart } from 'echarts/charts';
import {
  GridComponent,
  LegendComponent,
  MarkLineComponent,
  TitleComponent,
} from 'echarts/components';
import { init, use } from 'echarts/core';
import { SVGRenderer } from 'echarts/renderers';
import type { StudyReport, StudyRun } from '../generated/study-report.ts';
import { axisOf, SIZE, TEXT } from './chart.ts';
import { SCORE_TITLES } from './render.ts';

use([ScatterChart, GridComponent, LegendComponent, MarkLineComponent, TitleComponent, SVGRenderer]);

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

/** A dashed line for each floor across a panel, with its name where there is room. */
function floorLines({ floors }: StudyReport, index: number): object {
  return {
    type: 'scatter',
    xAxisIndex: index,
    yAxisIndex: index,
    data: [],
    markLine: {
      silent: true,
      symbol: 'none',
      lineStyle: { color: FLOOR_COLOUR, type: 'dashed', width: 1 },
      label: { show: index === 1, position: 'insideEndTop', color: '#555' },
      data: floors.flatMap(({ name, kendallTau }) =>
        kendallTau === null ? [] : { yAxis: kendallTau, label: { formatter: SCORE_TITLES[name] } },
      ),
    },
  };
}

/** Ends of the axis of taus, which the lines alone would not stretch: tenths, 0 among them. */
function range({ floors, runs }: StudyReport): { min: number; max: number } {
  const taus = [
    ...floors.map(({ kendallTau }) => kendallTau ?? 0),
    ...runs.flatMap(({ trials }) => trials.map((trial) => trial.crossEntropyTau.value ?? 0)),
  ];
  return {
    min: Math.floor(10 * Math.min(0, ...taus)) / 10,
    max: Math.ceil(10 * Math.max(0, ...taus)) / 10,
  };
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
  const yAxis = {
    ...axisOf('Kendall tau by cross-entropy', 0),
    nameGap: 42,
    position: 'left',
    ...range(report),
  };
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
      floorLines(report, 0),
      floorLines(report, 1),
      ...runs.map((run, i) => dotsOf(run, i, { index: 0, xOf: () => run.name })),
      ...runs.map((run, i) => dotsOf(run, i, { index: 1, xOf: ({ seconds }) => seconds / 60 })),
    ],
  });
  const svg = chart.renderToSVGString();
  chart.dispose();
  return svg;
}

/** Layers from the bottom up: a file imports its own layer and those its row names, types included. */
const ALLOWED = {
  foundation: [],
  generated: [],
  engine: ['foundation'],
  searchspace: ['foundation', 'generated'],
  nni: ['foundation', 'generated'],
  data: ['foundation'],
  'ranking-study': ['foundation', 'generated', 'searchspace'],
  supernet: ['foundation', 'engine', 'searchspace'],
  algorithms: ['foundation', 'generated', 'engine', 'searchspace', 'data', 'supernet'],
  selection: ['foundation', 'generated', 'engine', 'searchspace', 'data', 'supernet', 'algorithms'],
  training: [
    'foundation',
    'generated',
    'engine',
    'searchspace',
    'data',
    'supernet',
    'algorithms',
    'selection',
  ],
  'run-folder': ['foundation', 'generated', 'engine', 'searchspace', 'selection', 'training'],
  tasks: [
    'foundation',
    'generated',
    'engine',
    'searchspace',
    'data',
    'supernet',
    'algorithms',
    'selection',
    'training',
    'run-folder',
    'ranking-study',
  ],
  trial: ['foundation', 'generated', 'training', 'run-folder', 'tasks'],
  cli: [
    'foundation',
    'generated',
    'engine',
    'searchspace',
    'data',
    'nni',
    'algorithms',
    'selection',
    'training',
    'run-folder',
    'ranking-study',
    'tasks',
    'trial',
  ],
};

const layerRules = Object.entries(ALLOWED).map(([layer, below]) => ({
  name: `layer-${layer}`,
  comment: `src/${layer} may import only: ${[layer, ...below].join(', ')}`,
  severity: 'error',
  from: { path: `^src/${layer}/` },
  to: { path: '^src/', pathNot: `^src/(${[layer, ...below].join('|')})/` },
}));

/** @param {string} what @param {string} where */
const onlyIn = (what, where) => ({
  name: `only-${where.replace(/[^a-z]/g, '-')}-imports-${what.replace(/[^a-z]/g, '')}`,
  severity: 'error',
  from: { path: '^src/', pathNot: where },
  to: { path: what },
});

module.exports = {
  forbidden: [
    ...layerRules,
    { name: 'no-cycle', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'no-orphan',
      severity: 'error',
      from: { orphan: true, path: '^src/', pathNot: '^src/generated/' },
      to: {},
    },
    {
      name: 'no-dev-dependency',
      severity: 'error',
      from: { path: '^src/' },
      to: { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['type-only'] },
    },
    onlyIn('node_modules/@tensorflow/', '^src/engine/'),
    onlyIn('node_modules/ws/', '^src/trial/'),
    onlyIn('node_modules/(sharp|tar-stream)/', '^src/data/'),
    {
      name: 'pure-stages',
      comment: 'the algorithm touches no file, process or network',
      severity: 'error',
      from: { path: '^src/(searchspace|ranking-study|supernet|algorithms|selection|training)/' },
      to: { dependencyTypes: ['core'] },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'types', 'node'],
    },
  },
};

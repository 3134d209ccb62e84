import tseslint from 'typescript-eslint';
import importX from 'eslint-plugin-import-x';
import jsdoc from 'eslint-plugin-jsdoc';
import prettier from 'eslint-config-prettier';

const AMBIENT =
  'randomness, time, memory, environment, output and exit are parameters; src/cli/{main,system}.ts alone touch them';

/** @param {string} object @param {string[]} properties */
const ambient = (object, ...properties) =>
  properties.map((property) => ({ object, property, message: AMBIENT }));

/** @param {string} name @param {string[]} importNames */
const ambientImports = (name, ...importNames) => ({ name, importNames, message: AMBIENT });

export default tseslint.config(
  { ignores: ['dist/', 'node_modules/', 'src/generated/', '.engine/', '.python*/', '.cache/'] },
  ...tseslint.configs.strictTypeChecked,
  ...tseslint.configs.stylisticTypeChecked,
  {
    files: ['**/*.ts'],
    languageOptions: { parserOptions: { projectService: true } },
    plugins: { 'import-x': importX },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    rules: {
      'max-lines': ['error', { max: 300, skipBlankLines: true, skipComments: true }],
      'max-lines-per-function': ['error', { max: 50, skipBlankLines: true, skipComments: true }],
      'max-params': ['error', 4],
      complexity: ['error', 10],
      'max-depth': ['error', 3],
      'no-console': 'error',
      // `x!` is banned below; a narrowing cast says what is known.
      '@typescript-eslint/non-nullable-type-assertion-style': 'off',
      'import-x/no-default-export': 'error',
      'import-x/order': ['error', { groups: ['builtin', 'external', 'parent', 'sibling'] }],
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true },
      ],
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/prefer-readonly': 'error',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_' }],
    },
  },
  {
    files: ['src/**/*.ts'],
    plugins: { jsdoc },
    rules: {
      'jsdoc/require-jsdoc': [
        'error',
        {
          publicOnly: true,
          require: { ClassDeclaration: true, FunctionDeclaration: true, MethodDefinition: false },
          contexts: ['TSInterfaceDeclaration', 'TSTypeAliasDeclaration'],
        },
      ],
      'no-restricted-properties': [
        'error',
        ...ambient('Math', 'random'),
        ...ambient('crypto', 'randomUUID', 'getRandomValues'),
        ...ambient('Date', 'now'),
        ...ambient('performance', 'now'),
        ...ambient('AbortSignal', 'timeout'),
        ...ambient('process', 'hrtime', 'uptime', 'env', 'exit', 'stdout', 'stderr'),
        ...ambient('process', 'memoryUsage', 'resourceUsage', 'constrainedMemory'),
      ],
      // Not setImmediate: a turn of the event loop is no time.
      'no-restricted-globals': [
        'error',
        { name: 'setTimeout', message: AMBIENT },
        { name: 'setInterval', message: AMBIENT },
      ],
      'no-restricted-imports': [
        'error',
        {
          paths: [
            ambientImports('node:timers', 'setTimeout', 'setInterval'),
            ambientImports('node:timers/promises', 'setTimeout', 'setInterval', 'scheduler'),
            ambientImports('node:crypto', 'randomUUID', 'randomBytes', 'randomInt'),
            ambientImports('node:os', 'totalmem', 'freemem'),
            ambientImports('node:perf_hooks', 'performance'),
          ],
        },
      ],
      'no-restricted-syntax': [
        'error',
        { selector: 'NewExpression[callee.name=Date][arguments.length=0]', message: AMBIENT },
      ],
    },
  },
  {
    files: ['src/cli/main.ts', 'src/cli/system.ts'],
    rules: {
      'no-restricted-properties': 'off',
      'no-restricted-globals': 'off',
      'no-restricted-imports': 'off',
      'no-restricted-syntax': 'off',
    },
  },
  {
    // The name of a temporary file, beside which others of its kind may lie: no result follows from it.
    files: ['src/foundation/atomic-file.ts'],
    rules: { 'no-restricted-imports': 'off' },
  },
  {
    files: ['test/**/*.ts', 'scripts/**/*.ts', 'bench/**/*.ts'],
    rules: {
      'max-lines-per-function': 'off',
      'no-console': 'off',
      '@typescript-eslint/no-floating-promises': [
        'error',
        {
          allowForKnownSafeCalls: [
            {
              from: 'package',
              package: 'node:test',
              name: ['it', 'describe', 'test', 'before', 'after', 'suite'],
            },
          ],
        },
      ],
      '@typescript-eslint/no-non-null-assertion': 'off',
    },
  },
  { files: ['**/*.js', '**/*.mjs', '**/*.cjs'], ...tseslint.configs.disableTypeChecked },
  prettier,
);

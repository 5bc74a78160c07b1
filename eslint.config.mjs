import tseslint from 'typescript-eslint';

/** A folder is entered through its index.ts; these are the folders that have one. */
const rooms = [
  'training/data',
  'training/graph',
  'training/autodiff',
  'training/lowering',
  'training/network',
  'training/objective',
  'training/optimizer',
  'training/backend',
  'training/trainer',
  'training/run',
];

/** Inside a room its own files are imported by their path, every other room through its index. */
const deepImports = rooms.map((room) => ({
  regex: `(^|/)${room.split('/').at(-1)}/(?!index\\.ts$)`,
  message: `import from ${room}/index.ts`,
}));

const forbid = (...patterns) => ({ 'no-restricted-imports': ['error', { patterns }] });
const foreign = (folders, reason) => ({ regex: `^(\\.\\./)+(${folders.join('|')})/`, message: reason });

export default tseslint.config(
  {
    ignores: [
      'node_modules',
      'dist',
      'runs',
      '.wrangler',
      '**/*.mjs',
      'worker/*.generated.ts',
      'test/bench/training/peers',
    ],
  },
  ...tseslint.configs.strictTypeChecked,
  {
    languageOptions: {
      parserOptions: {
        project: ['./tsconfig.json', './worker/tsconfig.json', './worker/page/tsconfig.json'],
        tsconfigRootDir: import.meta.dirname,
      },
    },
    rules: {
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      'max-lines': ['error', { max: 500, skipBlankLines: true, skipComments: true }],
      eqeqeq: 'error',
    },
  },
  {
    files: ['training/**/*.ts'],
    rules: forbid(
      ...deepImports,
      foreign(['exporter', 'worker', 'test'], 'training/ imports no other top-level folder'),
    ),
  },
  {
    files: ['exporter/**/*.ts'],
    rules: forbid(...deepImports, foreign(['worker', 'test'], 'exporter/ imports training/ only')),
  },
  {
    files: ['worker/**/*.ts'],
    rules: forbid(foreign(['training', 'exporter', 'test'], 'worker/ imports neither training/ nor exporter/'), {
      regex: '^node:',
      message: 'the Worker uses no Node API',
    }),
  },
);

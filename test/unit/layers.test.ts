/** Lint enforces the architecture: imports go down the floors, through each folder's `index.ts`. */
import { join } from 'node:path';
import { RuleTester } from 'oxlint/plugins-dev';
import { describe, it } from 'vitest';
import plugin from '../layers.ts';

RuleTester.describe = describe;
RuleTester.it = it;

const may: readonly [file: string, code: string][] = [
  ['training/trainer/step.ts', "import { gradients } from '../autodiff/index.ts';"],
  ['training/objective/rules/new.ts', "import type { Rule } from '../rule.ts';"],
  ['training/index.ts', "export { train } from './run/index.ts';"],
  ['training/index.ts', "export { dense } from './network/layer.ts';"],
  ['exporter/model/new.ts', "import { readFolder } from '../store/versions.ts';"],
  ['exporter/index.ts', "export * from '../training/index.ts';"],
  ['exporter/command/new.ts', "const run = await import('../../training/run/index.ts');"],
  ['docs/experiments/new.ts', "import { readCard } from '../../exporter/model/export.ts';"],
  ['worker/http/new.ts', "import { z } from 'zod';"],
  ['worker/http/new.ts', "import { isPng } from '../../training/pictures/format.ts';"],
  ['exporter/edge/new.ts', "import type { Tensor } from '../../worker/image.ts';"],
  ['exporter/edge/new.ts', "export type * from '../../worker/image.ts';"],
  ['worker/http/new.ts', "import { rowPreparer } from '../../training/columns/index.ts';"],
];

const mayNot: readonly [file: string, code: string, message: string][] = [
  [
    'training/graph/new.ts',
    "import type { Network } from '../network/index.ts';",
    'training/graph stands below network or beside it',
  ],
  [
    'training/network/new.ts',
    "export { adam } from '../optimizer/index.ts';",
    'training/network stands below optimizer or beside it',
  ],
  [
    'training/trainer/new.ts',
    "type T = import('../run/index.ts').TrainedRun;",
    'training/trainer stands below run or beside it',
  ],
  ['training/data/new.ts', "import { UserError } from '../files/errors.ts';", 'import from training/files/index.ts'],
  ['training/data/new.ts', "export * from '../../exporter/store/versions.ts';", 'training/ does not import exporter/'],
  [
    'training/new/a.ts',
    "import '../data/index.ts';",
    'training/new: expected a floor for it in test/layers.ts, got none',
  ],
  [
    'training/pictures/new.ts',
    "import { quote } from '../files/index.ts';",
    'training/pictures stands below files or beside it',
  ],
  [
    'training/columns/new.ts',
    "import { quote } from '../files/index.ts';",
    'training/columns stands below files or beside it',
  ],
  ['exporter/store/new.ts', "import { x } from '../model/card.ts';", 'exporter/store stands below model or beside it'],
  [
    'exporter/deploy/new.ts',
    "const run = await import('../../training/run/index.ts');",
    'only exporter/command imports training/run',
  ],
  ['exporter/edge/new.ts', "import { x } from '../../worker/app.ts';", 'exporter/ does not import worker/'],
  ['exporter/edge/new.ts', "import { x } from '../../worker/image.ts';", 'exporter/ does not import worker/'],
  ['exporter/edge/new.ts', "import type { Env } from '../../worker/options.ts';", 'exporter/ does not import worker/'],
  ['docs/new.ts', "import type { Tensor } from '../worker/image.ts';", 'docs/ does not import worker/'],
  ['docs/examples/new.ts', "import { x } from '../../training/graph/ops.ts';", 'import from training/graph/index.ts'],
  ['docs/examples/new.ts', "import { x } from '../../test/reference/close.ts';", 'docs/ does not import test/'],
  ['worker/new.ts', "import type { x } from '../training/data/index.ts';", 'worker/ does not import training/'],
];

const at = (file: string) => join(process.cwd(), file);

new RuleTester({ languageOptions: { parserOptions: { lang: 'ts' } } }).run('layers', plugin.rules.layers, {
  valid: may.map(([file, code]) => ({ name: `${file} may say ${code}`, code, filename: at(file) })),
  invalid: mayNot.map(([file, code, message]) => ({
    name: `${file} may not say ${code}`,
    code,
    filename: at(file),
    errors: [message],
  })),
});

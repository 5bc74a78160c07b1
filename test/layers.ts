/** The lint rule that enforces the architecture: imports go down the floors, and enter rooms through their index.ts. */
import { dirname, join, relative } from 'node:path';
import type { RuleTester } from 'oxlint/plugins-dev';

type Rule = Parameters<RuleTester['run']>[1];
type Visitor = NonNullable<ReturnType<NonNullable<Rule['create']>>>;
type Source = Parameters<NonNullable<Visitor['ImportExpression']>>[0]['source'];

interface Place {
  readonly top: string;
  readonly room: string;
  readonly rest: string;
}

/**
 * Lists the rooms of a top-level folder by floor, from the ground. A file imports its own room and rooms of lower
 * floors. The folder's `index.ts` is on top.
 */
const floors: Readonly<Record<string, readonly (readonly string[])[]>> = {
  training: [
    ['arrays'],
    ['files', 'pictures', 'columns', 'answers', 'program'],
    ['process', 'graph', 'data'],
    ['compile', 'lowering', 'autodiff', 'optimizer', 'network', 'objective'],
    ['backend'],
    ['trainer'],
    ['checkpoint'],
    ['run'],
    ['index.ts'],
  ],
  exporter: [
    ['served'],
    ['store'],
    ['typed'],
    ['model', 'edge'],
    ['columns', 'recalibration'],
    ['deploy'],
    ['command'],
    ['index.ts'],
  ],
};

/**
 * Lists the folders that each top-level folder imports beside itself. Only test/ may import all, and nothing imports
 * test/.
 */
const below: Readonly<Record<string, readonly string[]>> = {
  training: [],
  exporter: ['training'],
  docs: ['exporter', 'training'],
  worker: [],
  test: [],
};

/**
 * The rooms of training/ that the Worker imports, so that pictures, rows and answers are served as they were trained.
 * They have no dependencies of their own.
 */
const shared = ['arrays', 'pictures', 'columns', 'answers'];

/**
 * Selects the page's training engine, a web worker. It is bundled with the rooms that it imports, and is not part of
 * the deployed Worker.
 */
const isEngine = ({ top, room, rest }: Place): boolean =>
  top === 'worker' && room === 'page' && rest.startsWith('train/engine/');

/** The only file of the Worker that the exporter imports, for its types: the exporter makes what the Worker reads. */
const contract = join('worker', 'image.ts');

/** The only rooms of exporter/ that may import training/run. */
const runners = ['command', 'index.ts'];

/** Splits a path into the top-level folder, the room, and the rest. */
function placeOf(path: string): Place {
  const [top = '', room = '', ...rest] = relative(dirname(import.meta.dirname), path)
    .replaceAll('\\', '/')
    .split('/');
  return { top, room, rest: rest.join('/') };
}

const floorOf = ({ top, room }: Place): number => (floors[top] ?? []).findIndex((rooms) => rooms.includes(room));

/** Describes what is wrong with an import; undefined where nothing is. */
function objectionTo(from: Place, to: Place, isType: boolean): string | undefined {
  if (from.top === 'worker' && to.top === 'training' && shared.includes(to.room)) return undefined;
  if (from.top === 'exporter' && isType && join(to.top, to.room) === contract) return undefined;
  if (from.top !== to.top) {
    const tops = isEngine(from) ? below['docs'] : below[from.top];
    if (to.top in below && !tops?.includes(to.top)) return `${from.top}/ does not import ${to.top}/`;
  } else if (from.top in floors && from.room !== to.room) {
    for (const place of [from, to]) {
      if (floorOf(place) < 0) return `${place.top}/${place.room}: expected a floor for it in test/layers.ts, got none`;
    }
    if (floorOf(to) >= floorOf(from)) return `${from.top}/${from.room} stands below ${to.room} or beside it`;
  } else return undefined;
  // The package's API imports files other than index.ts, since an index.ts would load more than a program asks for.
  if (to.top !== 'training' || (from.top === 'training' && from.room === 'index.ts')) return undefined;
  if (to.room === 'run' && from.top === 'exporter' && !runners.includes(from.room)) {
    return 'only exporter/command imports training/run';
  }
  return to.room === 'index.ts' || to.rest === 'index.ts' ? undefined : `import from training/${to.room}/index.ts`;
}

/** Requires imports to go down the floors, and into a room of training/ through its index.ts. */
const layers: Rule = {
  create(context) {
    const from = placeOf(context.filename);
    const check = (node: Source | null, isType = false): void => {
      if (node?.type !== 'Literal' || typeof node.value !== 'string' || !node.value.startsWith('.')) return;
      const message = objectionTo(from, placeOf(join(dirname(context.filename), node.value)), isType);
      if (message) context.report({ node, message });
    };
    return {
      ImportDeclaration({ source, importKind }) {
        check(source, importKind === 'type');
      },
      ExportNamedDeclaration({ source, exportKind }) {
        check(source, exportKind === 'type');
      },
      ExportAllDeclaration({ source, exportKind }) {
        check(source, exportKind === 'type');
      },
      ImportExpression({ source }) {
        check(source);
      },
      TSImportType({ source }) {
        check(source, true);
      },
    };
  },
};

export default { meta: { name: 'tree' }, rules: { layers } };

/** The rule of lint that holds the layers: imports go down the floors and through doors. */
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
 * The rooms of a top-level folder by floor, from the ground: a file imports its own room and rooms of floors below, `index.ts`
 * of the whole folder stands on top.
 */
const floors: Readonly<Record<string, readonly (readonly string[])[]>> = {
  training: [
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

/** What each top-level folder imports beside itself; test/, which no other imports, may import all. */
const below: Readonly<Record<string, readonly string[]>> = {
  training: [],
  exporter: ['training'],
  docs: ['exporter', 'training'],
  worker: [],
  test: [],
};

/** The rooms of training/ that the Worker imports: they are pure, so that pictures, rows and answers are served as they were trained. */
const shared = ['pictures', 'columns', 'answers'];

/** What trains in the page, in a worker of the browser: it is bundled with the rooms that it imports, and not deployed with the Worker. */
const isEngine = ({ top, room, rest }: Place): boolean =>
  top === 'worker' && room === 'page' && rest.startsWith('train/engine/');

/** The one file of the Worker that the exporter imports, for its types: what the one makes is what the other takes. */
const contract = join('worker', 'image.ts');

/** Only these may import training's run folder. */
const runners = ['command', 'index.ts'];

/** The top-level folder of a file, its room in there, and what is left of its path. */
function placeOf(path: string): Place {
  const [top = '', room = '', ...rest] = relative(dirname(import.meta.dirname), path)
    .replaceAll('\\', '/')
    .split('/');
  return { top, room, rest: rest.join('/') };
}

const floorOf = ({ top, room }: Place): number => (floors[top] ?? []).findIndex((rooms) => rooms.includes(room));

/** What is wrong with an import, if anything. */
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
  // The package's API reaches past the doors, behind which more would be loaded than a program asks for.
  if (to.top !== 'training' || (from.top === 'training' && from.room === 'index.ts')) return undefined;
  if (to.room === 'run' && from.top === 'exporter' && !runners.includes(from.room)) {
    return 'only exporter/command imports training/run';
  }
  return to.room === 'index.ts' || to.rest === 'index.ts' ? undefined : `import from training/${to.room}/index.ts`;
}

/** Imports go down the floors and through doors: a room of training/ is entered through its index.ts. */
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

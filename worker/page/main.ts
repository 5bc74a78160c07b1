/** The page's entry: shows the list of models, and the model that the address names. */
import { createKeyForm, KeyRequired } from './api/key.ts';
import { listModels, readModel } from './api/models.ts';
import { read } from './api/request.ts';
import { find, make } from './dom.ts';
import { withKindOf } from './inputs/kind.ts';
import { noAnswer, noModels, noSuchModel } from './models/nothing.ts';
import { addressOf, type ModelAddress, modelIn } from './models/address.ts';
import { createModelView } from './models/view.ts';

const main = find('main', HTMLElement);
const modelList = find('#models', HTMLElement);
const keyForm = createKeyForm(show);

/** Counts the requests to show something, so that neither a late answer nor a late failure replaces anything newer. */
let turn = 0;

window.addEventListener('hashchange', show);
show();
// A Worker that does not answer here does not answer `show` either, which says so.
showServer().catch(() => undefined);

function show(): void {
  const ownTurn = ++turn;
  const isNewest = (): boolean => ownTurn === turn;
  showAddressed(isNewest).catch((error: unknown) => {
    if (!isNewest()) return;
    if (error instanceof KeyRequired) keyForm.show();
    main.replaceChildren(noAnswer(error));
  });
}

async function showAddressed(isNewest: () => boolean): Promise<void> {
  const names = await listModels();
  if (!isNewest()) return;
  const [first] = names;
  const address = modelIn(location.hash) ?? (first === undefined ? undefined : { name: first });
  showList(names, address);
  document.title = address ? `${address.name} · bn-edge` : 'bn-edge';
  if (!address) main.replaceChildren(noModels());
  else await showModel(address, names, isNewest);
}

async function showModel(address: ModelAddress, names: readonly string[], isNewest: () => boolean): Promise<void> {
  const current = names.includes(address.name) ? await readModel(address.name, undefined) : undefined;
  const { version = current?.version } = address;
  const isServed = current?.versions.some((each) => each === version);
  const model = isServed && version !== current?.version ? await readModel(address.name, version) : current;
  if (!isNewest()) return;
  if (!model || !isServed) {
    main.replaceChildren(noSuchModel(address, names));
    return;
  }
  const view = withKindOf(model, (kind) => createModelView(model, kind, keyForm.show));
  main.replaceChildren(view.root);
  view.start();
}

/** Lists the models to choose from, and marks the current one. */
function showList(names: readonly string[], current: ModelAddress | undefined): void {
  const listed = Array.from(modelList.querySelectorAll('a'), (link) => link.textContent);
  // Links that stay where they are keep the keyboard's place.
  if (listed.join('\n') !== names.join('\n')) {
    modelList.replaceChildren(...names.map((name) => make('li', {}, make('a', { href: addressOf({ name }) }, name))));
  }
  modelList.querySelectorAll('a').forEach((link, i) => {
    if (names[i] === current?.name) link.setAttribute('aria-current', 'page');
    else link.removeAttribute('aria-current');
  });
}

/**
 * Links the API reference if the Worker's metadata names one and, under `wrangler dev`, shows why models cannot be built.
 */
async function showServer(): Promise<void> {
  const { docs, build_error: error } = (await read('v2')) as {
    readonly docs?: string;
    readonly build_error?: string;
  };
  find('#docs', HTMLElement).hidden = docs === undefined;
  if (error === undefined) return;
  const text = `The current models cannot be built; the previous ones answer.\n${error}`;
  main.before(make('pre', { role: 'alert', className: 'build-error' }, text));
}

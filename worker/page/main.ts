/** The page's entry: shows the list of models, and the model that the address names. */
import { createKeyForm } from './api/key-form.ts';
import { KeyRequired } from './api/key.ts';
import { listModels, readModel } from './api/models.ts';
import { find } from './dom.ts';
import { withKindOf } from './inputs/kind.ts';
import { createModelList } from './models/list.ts';
import { noAnswer, noModels, noSuchModel } from './models/nothing.ts';
import { type Place, placeIn } from './models/place.ts';
import { createModelView } from './models/view.ts';
import { showServer } from './server.ts';

const main = find('main', HTMLElement);
const list = createModelList(find('#models', HTMLElement));
const keyForm = createKeyForm(show);

/** Counts the requests to show something, so that a late answer does not replace anything newer. */
let turn = 0;

window.addEventListener('hashchange', show);
show();
// Failures are shown elsewhere.
showServer().catch(() => undefined);

function show(): void {
  showPlace().catch((error: unknown) => {
    if (error instanceof KeyRequired) keyForm.show();
    main.replaceChildren(noAnswer(error));
  });
}

async function showPlace(): Promise<void> {
  const mine = ++turn;
  const names = await listModels();
  if (mine !== turn) return;
  const [first] = names;
  const place = placeIn(location.hash) ?? (first === undefined ? undefined : { name: first });
  list.show(names, place);
  document.title = place ? `${place.name} · bn-edge` : 'bn-edge';
  if (!place) main.replaceChildren(noModels());
  else await showModel(place, names, () => mine === turn);
}

async function showModel(place: Place, names: readonly string[], isNewest: () => boolean): Promise<void> {
  const current = names.includes(place.name) ? await readModel(place.name, undefined) : undefined;
  const { version = current?.version } = place;
  const isServed = current?.versions.some((each) => each === version);
  const model = isServed && version !== current?.version ? await readModel(place.name, version) : current;
  if (!isNewest()) return;
  if (!model || !isServed) {
    main.replaceChildren(noSuchModel(place, names));
    return;
  }
  const view = withKindOf(model, (kind) => createModelView(model, kind, keyForm.show));
  main.replaceChildren(view.root);
  view.start();
}

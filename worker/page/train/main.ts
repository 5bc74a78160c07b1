/** The training page's entry: starts the stage, unless this browser cannot train. */
import { find } from '../dom.ts';
import { missingHere } from './engine-client.ts';
import { showTrouble, Stage } from './stage.ts';

const missing = missingHere();
if (missing === undefined) {
  find('#stage', HTMLElement).hidden = false;
  new Stage().begin();
} else showTrouble(missing);

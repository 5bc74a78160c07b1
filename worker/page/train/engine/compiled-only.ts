/** A backend for runs whose steps are compiled whole: there is no runtime in the page to fall back on. */
import type { Backend } from '../../../../training/backend/index.ts';
import { UserError } from '../../../../training/files/index.ts';

const refuse = (): Promise<never> =>
  Promise.reject(
    new UserError(
      'training in the page: expected a step that is compiled whole, got a larger one; take a smaller batch',
    ),
  );

export const compiledOnly: Backend = {
  name: 'page',
  engine: 'compiled for the browser',
  isProcessor: true,
  createSession: refuse,
  loadSession: refuse,
};

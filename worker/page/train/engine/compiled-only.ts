/** A backend for runs whose steps are compiled whole, whatever their size: the page has no runtime to fall back on. */
import type { Backend } from '../../../../training/backend/index.ts';
import { UserError } from '../../../../training/files/index.ts';

const refuse = (): Promise<never> =>
  Promise.reject(
    new UserError(
      'training in the page: expected a step that is compiled whole, got one that the compiler does not cover',
    ),
  );

export const compiledOnly: Backend = {
  name: 'page',
  engine: 'compiled for the browser',
  isProcessor: true,
  stepper: 'compiled',
  createSession: refuse,
  loadSession: refuse,
};

/**
 * Steps whose state stays in place, where there are none: they are a runtime's, and on threads of Node. The bundler puts this module in
 * place of `training/trainer/in-place/in-place-stepper.ts`, so that none of it is in the page.
 */

export const isInPlace = (): false => false;

export const openInPlaceStepper = (): Promise<undefined> => Promise.resolve(undefined);

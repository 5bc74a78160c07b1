/**
 * Replaces `training/trainer/in-place/in-place-stepper.ts` in the page's bundle: steps whose state stays in place need
 * ONNX Runtime and threads of Node, which the page does not have.
 */

export const isInPlace = (): false => false;

export const openInPlaceStepper = (): Promise<undefined> => Promise.resolve(undefined);

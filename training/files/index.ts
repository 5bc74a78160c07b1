/**
 * Above arrays only: whole files, tensors in files, and messages for the user. Nothing here knows data sets or
 * networks.
 */
export { oneLine, printable, quote, unexpected, UserError } from './errors.ts';
export {
  append,
  cannotRead,
  cannotWrite,
  readBeginning,
  readBytes,
  removeTemporaries,
  requireStored,
  writeAtomically,
} from './files.ts';
export { count, fourDigits, percent, shortestFloat } from './format.ts';
export { fromBfloats, fromHalves, toHalves, typedArrayOf, type TypedArrayConstructor } from './binary-numbers.ts';
export { makeFolder } from './make-folder.ts';
export { packageVersion, siblingModule } from './package.ts';
/** @internal -- `Disposable`, which they return, is missing from the type libraries of some programs */
export { atExit, releasing, releasingOnError } from './releasing.ts';
export {
  parseSafetensors,
  type Safetensors,
  safetensorsParts,
  serializeSafetensors,
  type Tensor as StoredTensor,
} from './safetensors.ts';
export { recognize } from './recognize.ts';
export { check, checked, checkedJson, parseJson, validated } from './schema.ts';

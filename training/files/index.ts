/**
 * The lowest floor: whole files, tensors in files, and messages for the user. Nothing here knows data sets or networks.
 */
export { oneLine, printable, quote, unexpected, UserError } from './errors.ts';
/** @internal -- `Disposable`, its return type, is missing from the type libraries of some programs */
export { atExit } from './at-exit.ts';
export {
  append,
  cannotRead,
  cannotWrite,
  readBytes,
  removeTemporaries,
  requireStored,
  writeAtomically,
} from './files.ts';
export { count, fourDigits, percent, shortestFloat } from './format.ts';
export { fromBfloats, fromHalves, toHalves } from './halves.ts';
export { makeFolder } from './make-folder.ts';
export { packageVersion } from './package-version.ts';
/** @internal -- for the same reason as atExit */
export { releasing, releasingOnError } from './releasing.ts';
export {
  parseSafetensors,
  type Safetensors,
  safetensorsParts,
  serializeSafetensors,
  type Tensor as StoredTensor,
} from './safetensors.ts';
export { recognize } from './recognize.ts';
export { check, checked, checkedJson, parseJson, validated } from './schema.ts';
export { siblingModule } from './sibling.ts';
export { typedArrayOf, type TypedArrayConstructor } from './typed-array.ts';

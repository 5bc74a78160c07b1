/** Prepares a model to take rows by the names of their columns. */
import type { Column } from '../../training/columns/column.ts';
import { type RowPreparer, rowPreparer } from '../../training/columns/prepare.ts';
import { type FarFinder, farFinder } from '../../training/columns/range.ts';
import type { ModelAbout } from '../image.ts';
import type { TensorInfo } from '../protocol/datatypes.ts';
import type { Session } from '../protocol/session.ts';

export interface RowTable {
  /** The model's only input. */
  readonly input: TensorInfo;
  readonly columns: readonly Column[];
  /** Lists the names in the columns' order. */
  readonly names: readonly string[];
  readonly preparer: RowPreparer;
  readonly farIn: FarFinder;
}

/** Returns `undefined` unless the model's only input takes rows whose columns the card describes. */
export function tableOf({ columns = {} }: ModelAbout, { inputs }: Session): RowTable | undefined {
  const [input, ...others] = inputs;
  // An input may have a name that every object inherits.
  const own = input && Object.hasOwn(columns, input.name) ? columns[input.name] : undefined;
  if (!input || !own || others.length > 0 || input.datatype !== 'FP32') return undefined;
  const preparer = rowPreparer(own);
  const [, width = 0, ...more] = input.shape;
  // A card that describes other rows than the file takes is ignored.
  if (more.length > 0 || (width !== preparer.width && width !== -1)) return undefined;
  return { input, columns: own, names: own.map(({ name }) => name), preparer, farIn: farFinder(own) };
}

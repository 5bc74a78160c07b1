/** What a model needs to take rows by the names of their columns. */
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
  /** In the columns' order. */
  readonly names: readonly string[];
  readonly preparer: RowPreparer;
  readonly farIn: FarFinder;
}

/** `undefined` where the model takes anything but rows of which its card tells the columns. */
export function tableOf({ columns = {} }: ModelAbout, { inputs }: Session): RowTable | undefined {
  const [input, ...others] = inputs;
  // An input may be called as a member that every object has.
  const own = input && Object.hasOwn(columns, input.name) ? columns[input.name] : undefined;
  if (!input || !own || others.length > 0 || input.datatype !== 'FP32') return undefined;
  const preparer = rowPreparer(own);
  const [, width = 0, ...more] = input.shape;
  // A card that describes other rows than the file takes describes none.
  if (more.length > 0 || (width !== preparer.width && width !== -1)) return undefined;
  return { input, columns: own, names: own.map(({ name }) => name), preparer, farIn: farFinder(own) };
}

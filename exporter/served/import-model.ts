/**
 * Imports a file from elsewhere into the form that a folder of models keeps: a single file, of tensors of numbers only.
 */
import type { Column } from '../../training/data/index.ts';
import { count } from '../../training/files/index.ts';
import { decodeProto } from '../../training/graph/index.ts';
import { withExternalData } from './external-data.ts';
import { rowsName, tableOf } from './named-columns.ts';
import { requireOnnx } from './onnx-file.ts';
import { explained } from './prepare.ts';
import { tensorsOnly } from './tensors-only.ts';

export interface ImportedModel {
  readonly bytes: Uint8Array;
  /** `columns` says what the numbers of a row mean, if the model takes named columns of which some are texts. */
  readonly columns?: readonly Column[];
  /** `remarks` has one sentence for each change. */
  readonly remarks: readonly string[];
}

/**
 * @param path of the file, beside which its weights may lie
 * @throws UserError, in one line that begins with the file, if it is not an ONNX model, or its inputs or outputs cannot
 *   be served
 */
export function importModel(path: string, file: Uint8Array): ImportedModel {
  const whole = withExternalData(path, file);
  return explained(path, () => {
    requireOnnx(whole);
    const { bytes, remarks } = tensorsOnly(whole, decodeProto(whole).graph ?? {});
    const table = tableOf(bytes, decodeProto(bytes).graph ?? {});
    return {
      bytes: table?.bytes ?? bytes,
      ...(table && { columns: table.columns }),
      remarks: [
        ...(whole === file ? [] : ['the weights that lay beside the file are in it now']),
        ...remarks,
        ...(table
          ? [
              `its ${count(table.columns.length)} columns are one input, "${rowsName}", the rows of a table; a text is the place of its category`,
            ]
          : []),
      ],
    };
  });
}

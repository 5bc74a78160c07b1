/**
 * Recognizes a file by its first bytes, so that a message can say what was given in place of the expected file, and
 * which command accepts it.
 */

interface Kind {
  readonly begins: RegExp;
  readonly what: string;
}

/** The kinds of file that are often mistaken for each other. Where several match, the first one counts. */
const kinds = {
  empty: { begins: /^$/, what: 'an empty file' },
  lfs: {
    begins: /^version https:\/\/git-lfs/,
    what: 'a pointer of Git LFS: git lfs pull fetches the file',
  },
  html: {
    begins: /^(\u00ef\u00bb\u00bf)?\s*<(!doctype html|html|head|body)[\s>]/i,
    what: 'a web page, as a link to a page about the file gives',
  },
  zip: {
    begins: /^PK\u0003\u0004/,
    what: 'a ZIP archive, such as a .pt of PyTorch: torch.onnx.export writes ONNX',
  },
  hdf5: { begins: /^\u0089HDF/, what: 'an HDF5 file, such as an .h5 of Keras: tf2onnx writes ONNX' },
  picture: { begins: /^(\u0089PNG|\u00ff\u00d8\u00ff|GIF8|RIFF)/, what: 'a picture' },
  safetensors: {
    // The length of the header in eight bytes, then the header, which is JSON.
    begins: /^[^]{4}\0{4}\{/,
    what: 'a safetensors checkpoint: bn-edge export takes it',
  },
  // The version of the format, followed by the tag of the producer's name, a domain, a version, a graph or an operator
  // set.
  onnx: {
    begins: /^\u0008[\u0001-\u0020][\u0012\u001a\u0022\u0028\u0032\u003a\u0042]/,
    what: 'an ONNX model: bn-edge add takes it',
  },
  json: { begins: /^(\u00ef\u00bb\u00bf)?\s*[[{]\s*["{[\d\]}-]/, what: 'JSON' },
  table: {
    begins: /^(\u00ef\u00bb\u00bf)?[^\0-\u0008\u000e-\u001f\n]*[,;\t|][^\0-\u0008\u000e-\u001f\n]*\r?\n/,
    what: 'a table: bn-edge train takes it',
  },
} as const satisfies Readonly<Record<string, Kind>>;

export type FileKind = keyof typeof kinds;

/**
 * The number of bytes that are looked at: enough for a file's magic number, and usually for the header row of a table.
 */
const START = 1000;

/** Returns the kind of a file, or undefined where it is of none of these kinds. */
export function recognize(bytes: Uint8Array): { readonly kind: FileKind; readonly what: string } | undefined {
  const start = Buffer.from(bytes.subarray(0, START)).toString('latin1');
  for (const [kind, { begins, what }] of Object.entries(kinds)) {
    if (begins.test(start)) return { kind: kind as FileKind, what };
  }
  return undefined;
}

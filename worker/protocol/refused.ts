/** Explains in terms of the request why a run was refused. */
import { isInferenceError, quote, RequestError, ServerError } from '../errors.ts';
import type { ModelAbout, ValueInfo } from '../image.ts';
import type { Session } from './session.ts';

/**
 * Returns the session's `run`, whose errors name what the request could do otherwise.
 * @param inputs the inputs as the edge image describes them, with the names of their dimensions
 */
export function withReasons(session: Session, about: ModelAbout, inputs: readonly ValueInfo[]): Session['run'] {
  return (feeds, fetches) => {
    try {
      return session.run(feeds, fetches);
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      if (error.name === 'TrapError') throw new ServerError(missingCode(about, inputs), { cause: error });
      const other = isInferenceError(error) && !error.outOfMemory ? refusedSize(about, inputs, feeds) : undefined;
      throw other === undefined ? error : new RequestError('malformed', other);
    }
  };
}

/**
 * Names an input whose size the model refuses: of the sizes that the build tried it took only one, which the file does
 * not record.
 */
function refusedSize(
  { shapes = {} }: ModelAbout,
  inputs: readonly ValueInfo[],
  feeds: Parameters<Session['run']>[0],
): string | undefined {
  for (const { name, shape } of inputs) {
    const expected = (Object.hasOwn(shapes, name) && shapes[name]) || [];
    const got = feeds.get(name)?.shape ?? [];
    const axis = expected.findIndex((size, i) => size > 0 && size !== got[i]);
    if (axis < 0) continue;
    const dimension = typeof shape[axis] === 'string' ? ` (${quote(shape[axis])})` : '';
    return `${name}: expected ${expected[axis]} for dimension ${axis}${dimension}, as the build has found, got ${got[axis]}`;
  }
  return undefined;
}

function missingCode({ name, path }: ModelAbout, { length }: readonly ValueInfo[]): string {
  const sample = length === 1 ? `a sample like it in models/${path}/samples.npz makes a build keep it, ` : '';
  return `${name}: the image lacks code that this request needs; ${sample}EDGE_RUNTIME=stock builds with all there is`;
}

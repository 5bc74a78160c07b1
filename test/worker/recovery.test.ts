/** A failure inside the runtime affects the answer to that request alone. */
import { afterEach, expect, it, vi } from 'vitest';
import image from '../../.bn-edge/image.mjs';
import { pixels, post } from './client.ts';

afterEach(() => {
  vi.restoreAllMocks();
});

const ask = () => post('/v2/models/digits/infer', { inputs: [pixels(1)] });

/** Makes the model's session fail once. */
function failOnce(error: Error): void {
  const session = image.sessions.get('digits/model');
  if (!session) throw new Error('no session');
  vi.spyOn(session, 'run').mockImplementationOnce(() => {
    throw error;
  });
}

it.each([
  ['memory that runs out', outOfMemory(), 413, 'batch: expected one that fits into memory, got a larger one'],
  [
    'a second trap in a row',
    Object.assign(new Error('model digits/model trapped twice'), { name: 'TrapError' }),
    500,
    'digits: the image lacks code that this request needs; a sample like it in models/digits/samples.npz makes a build keep it, EDGE_RUNTIME=stock builds with all there is',
  ],
  ['what nobody has foreseen', new Error('no'), 500, 'internal server error'],
])('%s is told in one answer, and the next is right', async (_, error, status, message) => {
  vi.spyOn(console, 'error').mockImplementation(() => undefined);
  const before = await ask();
  failOnce(error);
  expect(await ask()).toMatchObject({ status, body: { error: message } });
  expect(await ask()).toEqual({ ...before, headers: expect.anything() as unknown });
});

/**
 * Returns the error that an image throws. The Worker recognizes it by its name, because each image has its own class.
 */
function outOfMemory(): Error {
  return Object.assign(new Error('std::bad_alloc'), { name: 'InferenceError', outOfMemory: true });
}

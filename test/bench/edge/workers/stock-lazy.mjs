/** Serves stock ONNX Runtime Web; the first request creates the session. */
import { serve } from './handler.mjs';
import { createSession, infer } from './stock.mjs';

let session;

export default serve(async (data) => infer((session ??= await createSession()), data));

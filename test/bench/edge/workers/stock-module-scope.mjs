/** Serves stock ONNX Runtime Web; the session is created before the first request. */
import { serve } from './handler.mjs';
import { createSession, infer } from './stock.mjs';

const session = await createSession();

export default serve((data) => infer(session, data));

/** Stock, its session created by the first request. */
import { serve } from './handler.mjs';
import { createSession, infer } from './stock.mjs';

let session;

export default serve(async (data) => infer((session ??= await createSession()), data));

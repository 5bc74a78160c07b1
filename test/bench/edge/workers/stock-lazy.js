/** Stock, its session created by the first request. */
import { serve } from './handler.js';
import { createSession, infer } from './stock.js';

let session;

export default serve(async (data) => infer((session ??= await createSession()), data));

/** Stock, its session created before the first request. */
import { serve } from './handler.js';
import { createSession, infer } from './stock.js';

const session = await createSession();

export default serve((data) => infer(session, data));

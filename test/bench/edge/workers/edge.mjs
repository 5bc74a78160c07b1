/** Serves the edge image through its wrapper, as a Worker uses it. */
import { sessions } from './image.mjs';
import { serve } from './handler.mjs';

const [session] = sessions.values();
const [{ name, dtype, shape: free }] = session.inputs;
const shape = free.map((dimension) => (typeof dimension === 'string' ? 1 : dimension));

export default serve((data) => session.run({ [name]: { dtype, shape, data } }).logits.data);

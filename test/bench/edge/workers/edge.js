/** On the edge image, through its wrapper, as a Worker uses it. */
import { sessions } from './edge.mjs';
import { serve } from './handler.js';

const [session] = sessions.values();

export default serve((data) => session.run({ pixels: { dtype: 'float32', shape: [1, 1, 28, 28], data } }).logits.data);

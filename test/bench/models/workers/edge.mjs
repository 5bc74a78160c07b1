/** Serves the edge image through its wrapper, as a Worker uses it. */
import { sessions } from './image.mjs';
import { serve, tensors } from './handler.mjs';

const [session] = sessions.values();
const feeds = Object.fromEntries(tensors.map(({ name, shape, data }) => [name, { dtype: 'float32', shape, data }]));

export default serve(() => session.run(feeds));

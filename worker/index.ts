import { createWorker } from 'bn-edge/worker';
import image from '../.bn-edge/image.mjs';

export default createWorker(image);

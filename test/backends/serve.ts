/** A Worker that runs sessions on whatever tensors it is sent. It is bundled with one of the runtimes of exporter/edge. */
import type { Session } from '../../exporter/edge/runtime/session.ts';
import { readTensors, writeTensors } from './wire.ts';

/** @param sessionOf the session of a model: by its file, or by the name of one that is there already */
export const serve = (sessionOf: (model: Uint8Array | string) => Session) => ({
  async fetch(request: Request): Promise<Response> {
    try {
      const form = await request.formData();
      const model = form.get('model');
      const session = sessionOf(model instanceof Blob ? new Uint8Array(await model.arrayBuffer()) : String(model));
      return new Response(writeTensors(session.run(await readTensors(form))));
    } catch (error) {
      return new Response(String(error), { status: 500 });
    }
  },
});

/** A Worker that runs sessions on the tensors it receives. It is bundled with one of the runtimes of exporter/edge. */
import type { Session } from '../../exporter/edge/runtime/session.ts';
import { readTensors, writeTensors } from './wire.ts';

/** The name of the tensor that holds a model's file. */
export const modelName = 'the model';

/** @param sessionOf returns the session of a model: by its file if the request has one, else by the name in the path */
export const serve = (sessionOf: (name: string, file: Uint8Array) => Session) => ({
  async fetch(request: Request): Promise<Response> {
    try {
      const { [modelName]: model, ...feeds } = readTensors(await request.arrayBuffer());
      const session = sessionOf(new URL(request.url).pathname.slice(1), (model?.data ?? none) as Uint8Array);
      return new Response(writeTensors(session.run(feeds)));
    } catch (error) {
      return new Response(String(error), { status: 500 });
    }
  },
});

const none = new Uint8Array();

/**
 * Reads an isolate's memory, which is what the platform limits, through workerd's inspector while the isolate serves.
 * https://chromedevtools.github.io/devtools-protocol/v8/
 */

/** Sizes in bytes. */
export interface IsolateMemory {
  /** V8's heap, garbage included. */
  readonly heap: number;
  /** Array buffers outside the heap, garbage included, but not WebAssembly's memory. */
  readonly buffers: number;
}

export interface LiveMemory extends IsolateMemory {
  /** WebAssembly's memory, which never shrinks: the largest of all buffers. */
  readonly wasm: number;
}

interface HeapUsage {
  readonly usedSize: number;
  readonly embedderHeapUsedSize: number;
  readonly backingStorageSize: number;
}

interface Message {
  readonly id?: number;
  readonly method?: string;
  readonly params?: { readonly chunk?: string };
  readonly result?: unknown;
  readonly error?: { readonly message: string };
}

export class Inspector implements Disposable {
  readonly #socket: WebSocket;
  readonly #answers = new Map<number, PromiseWithResolvers<unknown>>();
  #chunks: string[] = [];
  #sent = 0;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.addEventListener('message', ({ data }) => {
      this.#receive(JSON.parse(String(data)) as Message);
    });
  }

  static async connect(url: string): Promise<Inspector> {
    const socket = new WebSocket(url);
    await new Promise((resolve, reject) => {
      socket.addEventListener('open', resolve);
      socket.addEventListener('error', () => {
        reject(new Error(`inspector: cannot connect to ${url}`));
      });
    });
    return new Inspector(socket);
  }

  [Symbol.dispose](): void {
    this.#socket.close();
  }

  async memory(): Promise<IsolateMemory> {
    const usage = (await this.#ask('Runtime.getHeapUsage')) as HeapUsage;
    return { heap: usage.usedSize + usage.embedderHeapUsedSize, buffers: usage.backingStorageSize };
  }

  /**
   * Measures live memory after a heap snapshot, which collects all garbage: `HeapProfiler.collectGarbage` never answers
   * in workerd.
   */
  async live(): Promise<LiveMemory> {
    this.#chunks = [];
    await this.#ask('HeapProfiler.takeHeapSnapshot', { reportProgress: false });
    const wasm = largestBuffer(JSON.parse(this.#chunks.join('')) as HeapSnapshot);
    return { ...(await this.memory()), wasm };
  }

  #ask(method: string, params: object = {}): Promise<unknown> {
    const answer = Promise.withResolvers<unknown>();
    this.#answers.set(++this.#sent, answer);
    this.#socket.send(JSON.stringify({ id: this.#sent, method, params }));
    return answer.promise;
  }

  /** Workerd repeats the method in its answers, so only the missing id tells an event. */
  #receive({ id, params, result, error }: Message): void {
    if (id === undefined) {
      if (params?.chunk !== undefined) this.#chunks.push(params.chunk);
      return;
    }
    if (error) this.#answers.get(id)?.reject(new Error(`inspector: ${error.message}`));
    else this.#answers.get(id)?.resolve(result);
    this.#answers.delete(id);
  }
}

/** Nodes are rows of numbers; some of the numbers are indices into the strings. */
interface HeapSnapshot {
  readonly snapshot: { readonly meta: { readonly node_fields: readonly string[] } };
  readonly nodes: readonly number[];
  readonly strings: readonly string[];
}

function largestBuffer({ snapshot, nodes, strings }: HeapSnapshot): number {
  const fields = snapshot.meta.node_fields;
  const buffer = strings.indexOf('system / JSArrayBufferData');
  let largest = 0;
  for (let node = 0; node < nodes.length; node += fields.length) {
    const size = nodes[node + fields.indexOf('self_size')] ?? 0;
    if (nodes[node + fields.indexOf('name')] === buffer) largest = Math.max(largest, size);
  }
  return largest;
}

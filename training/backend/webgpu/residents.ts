/** Keeps tensors on the device, by the input that they are fed to, while the same host tensor is fed. */
import type { Tensor as OrtTensor } from 'onnxruntime-node';
import type { Tensor } from '../../graph/index.ts';
import type { DeviceMemory } from './device-memory.ts';

export type OnDevice = Readonly<Record<string, OrtTensor>>;

export class Residents {
  readonly #memory: DeviceMemory;
  readonly #held = new Map<string, { readonly host: Tensor; readonly device: OrtTensor }>();

  constructor(memory: DeviceMemory) {
    this.#memory = memory;
  }

  /** Returns the tensors on the device, and uploads those that are not there yet. */
  async place(inputs: readonly (readonly [name: string, host: Tensor])[]): Promise<OnDevice> {
    const placed: [string, OrtTensor][] = [];
    for (const [name, host] of inputs) {
      const held = this.#held.get(name);
      const device = held?.host === host ? held.device : await this.#memory.upload(host);
      this.hold(name, host, device);
      placed.push([name, device]);
    }
    return Object.fromEntries(placed);
  }

  /** Records that `device` holds the contents of `host`, and disposes of the tensor that it replaces. */
  hold(name: string, host: Tensor, device: OrtTensor): void {
    const former = this.#held.get(name)?.device;
    if (former !== device) former?.dispose();
    this.#held.set(name, { host, device });
  }

  release(): void {
    for (const { device } of this.#held.values()) device.dispose();
    this.#held.clear();
  }
}

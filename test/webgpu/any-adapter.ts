/** Finds an adapter for the tests of WebGPU. */
import { existsSync } from 'node:fs';
import { BackendUnavailable, type WebgpuBackend, webgpuBackend } from '../../training/backend/index.ts';

/** SwiftShader computes WebGPU on the CPU; Debian's package `chromium` brings it. */
const swiftShader = '/usr/lib/chromium/vk_swiftshader_icd.json';

/** Returns WebGPU on a GPU, or else on SwiftShader, or else the reason why there is neither. */
export async function anyAdapter(): Promise<WebgpuBackend | BackendUnavailable> {
  const gpu = await orUnavailable(webgpuBackend());
  if (!(gpu instanceof BackendUnavailable) || process.env.VK_ICD_FILENAMES || !existsSync(swiftShader)) return gpu;
  process.env.VK_ICD_FILENAMES = swiftShader;
  return orUnavailable(webgpuBackend());
}

const orUnavailable = (backend: Promise<WebgpuBackend>) =>
  backend.catch((error: unknown) => {
    if (error instanceof BackendUnavailable) return error;
    throw error;
  });

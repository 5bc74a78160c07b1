/**
 * Runs before a package manager runs the install scripts of the packages below this one. That of onnxruntime-node fetches libraries
 * for CUDA on Linux: hundreds of megabytes, from outside the registry, that no lock file has a checksum of; and the whole
 * installation fails where they cannot be had. This package never computes with CUDA. Empty files in their places make that script
 * take them for installed.
 *
 * Whoever wants them says so: `npm rebuild onnxruntime-node --onnxruntime-node-install=cuda12`, or has onnxruntime-node among
 * the dependencies of the project itself, which is then left alone.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

const { env, platform, arch } = process;
const require = createRequire(import.meta.url);

const asked = Object.keys(env).some((name) => /^(npm_config_)?onnxruntime_node_install/i.test(name));
try {
  if (!asked && !projectDependsOnIt()) leaveOutCuda();
} catch {
  // It saves a download: no reason for an installation to fail.
}

function projectDependsOnIt() {
  const manifest = join(env.npm_config_local_prefix ?? env.INIT_CWD ?? '.', 'package.json');
  if (!existsSync(manifest)) return false;
  const text = readFileSync(manifest, 'utf8').replace(/^\uFEFF/, '');
  const { dependencies, devDependencies, optionalDependencies } = JSON.parse(text);
  return 'onnxruntime-node' in { ...dependencies, ...devDependencies, ...optionalDependencies };
}

function leaveOutCuda() {
  const folder = runtimeFolder();
  if (folder === undefined) return;
  const { requirements, manifests } = require('onnxruntime-node/script/install-metadata.js');
  for (const name of requirements[`${platform}/${arch}`] ?? []) {
    for (const library of Object.keys(manifests[`${platform}/${arch}:${name}`])) {
      const path = join(folder, 'bin', 'napi-v6', platform, arch, library);
      if (!existsSync(path)) writeFileSync(path, '');
    }
  }
}

/** None where package managers run this before anything is there. */
function runtimeFolder() {
  try {
    return dirname(require.resolve('onnxruntime-node/package.json'));
  } catch {
    return undefined;
  }
}

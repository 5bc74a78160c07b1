/** Runs jax-js on its WebAssembly backend: a whole step of both networks is one compiled function. */
import { defaultDevice, init, jit, lax, nn, numpy as np, tree, valueAndGrad } from '@jax-js/jax';
import { serve } from './worker.mjs';

async function openStep({ inputs, inputSize, labels, classes, learningRate, momentum, epsilon, networks }) {
  await init('wasm');
  defaultDevice('wasm');
  const array = ({ data, shape }) => np.array(data, { shape });
  // Each network has its trained tensors, followed by its running statistics.
  let state = networks.map((layers) => ({
    trained: layers.map(({ weight, bias, norm }) => ({
      weight: array(weight),
      ...(bias && { bias: array(bias) }),
      ...(norm && { gamma: array(norm.gamma), beta: array(norm.beta) }),
    })),
    running: layers.flatMap(({ norm }) => (norm ? [array(norm.mean), array(norm.variance)] : [])),
  }));
  const lossOf = (trained, x, targets) => {
    const seen = [];
    let h = x;
    trained.forEach(({ weight, bias, gamma, beta }, i) => {
      let z = np.dot(h, np.transpose(weight));
      if (bias) z = z.add(bias);
      if (i === trained.length - 1) {
        h = z;
        return;
      }
      if (!gamma) {
        h = nn.relu(z);
        return;
      }
      const mean = np.mean(z.ref, 0);
      const centred = z.sub(mean.ref);
      const variance = np.mean(np.square(centred.ref), 0);
      seen.push(lax.stopGradient(mean), lax.stopGradient(variance.ref));
      h = nn.relu(
        centred
          .div(np.sqrt(variance.add(epsilon)))
          .mul(gamma)
          .add(beta),
      );
    });
    const loss = np.mean(np.sum(nn.logSoftmax(h, -1).mul(targets), -1)).neg();
    return [loss, seen];
  };
  const stepOf = jit((all, x, targets) =>
    all.map(({ trained, running }, i) => {
      const isLast = i === all.length - 1;
      const ref = (value) => (isLast ? value : value.ref);
      const [[loss, seen], gradients] = valueAndGrad(lossOf, { hasAux: true })(tree.ref(trained), ref(x), ref(targets));
      return {
        loss,
        trained: tree.map((value, gradient) => value.sub(gradient.mul(learningRate)), trained, gradients),
        running: running.map((value, j) => value.mul(momentum).add(seen[j].mul(1 - momentum))),
      };
    }),
  );
  return async (indices) => {
    const rows = new Float32Array(indices.length * inputSize);
    const targets = new Float32Array(indices.length * classes);
    indices.forEach((index, row) => {
      rows.set(inputs.subarray(index * inputSize, (index + 1) * inputSize), row * inputSize);
      targets[row * classes + labels[index]] = 1;
    });
    const result = stepOf(
      state,
      np.array(rows, { shape: [indices.length, inputSize] }),
      np.array(targets, { shape: [indices.length, classes] }),
    );
    state = result.map(({ trained, running }) => ({ trained, running }));
    const losses = result.map(({ loss }) => loss);
    return async () => (await Promise.all(losses.map((loss) => loss.data()))).map(([value]) => value);
  };
}

serve(openStep);

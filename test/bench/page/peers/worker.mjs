/**
 * The loop of every peer: a web worker that takes the same steps of the same two networks as the page, and does nothing
 * else. It answers `begin` with the losses of the first step, and `take` with the number of steps that it took in so
 * many milliseconds.
 */

/**
 * @param openStep takes a problem and returns a function of a mini-batch's indices, which returns a function that reads
 * the losses of both networks
 */
export function serve(openStep) {
  let step;
  let problem;
  let at = 0;
  const next = () => {
    const { order, batchSize } = problem;
    if ((at + 1) * batchSize > order.length) at = 0;
    return order.subarray(at * batchSize, ++at * batchSize);
  };
  const answer = async ({ kind, ...order }) => {
    if (kind === 'begin') {
      problem = order.problem;
      at = 0;
      step = await openStep(problem);
      return { losses: await (await step(next()))() };
    }
    let [steps, last] = [0, undefined];
    const start = performance.now();
    while (performance.now() - start < order.milliseconds) {
      last = await step(next());
      steps += 1;
    }
    // A library may compute only when a value is read, and the time must include that.
    await last();
    return { steps, seconds: (performance.now() - start) / 1000 };
  };
  self.onmessage = ({ data }) => {
    answer(data).then(
      (result) => self.postMessage(result),
      (error) => self.postMessage({ error: String(error?.stack ?? error) }),
    );
  };
}

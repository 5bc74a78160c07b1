/**
 * What every peer does: a worker of the browser that takes the same steps of the same two networks as the page, and nothing else. It is told
 * `begin`, and answers with the losses of the first step, or `take`, and answers with how many steps it took in so many milliseconds.
 */

/** @param openStep of a problem: a function of a mini-batch's indices, which gives a function that reads the losses of both networks */
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
    // What is computed when it is asked for belongs to the time.
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

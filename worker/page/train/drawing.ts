/** Limits how often something is drawn: requests in between wait for the next drawing. */

/** Milliseconds between two drawings of what changes slowly. The default is one drawing per frame. */
export const unhurried = 120;

/** @returns a function that requests the next drawing */
export function drawing(draw: () => void, every = 0): () => void {
  let [isDue, last] = [false, -Infinity];
  const inFrame = (): void => {
    requestAnimationFrame((now) => {
      isDue = false;
      last = now;
      draw();
    });
  };
  return () => {
    if (isDue) return;
    isDue = true;
    const wait = last + every - performance.now();
    if (wait > 0) setTimeout(inFrame, wait);
    else inFrame();
  };
}

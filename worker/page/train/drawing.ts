/** Drawing no more often than is worth it: what is new in between waits for the next time. */

/** Milliseconds between two pictures of what changes slowly; a frame's where nothing is said. */
export const unhurried = 120;

/** @returns what asks for the next drawing */
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

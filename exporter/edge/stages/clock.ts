/**
 * Controls the host's clock: the build freezes it while it makes the snapshot, so that two builds are equal, and sets
 * it to odd times while profiling, because a Worker's clock stands still and jumps.
 */

/** Runs `action` with all clocks at `now` (milliseconds since 1970), then restores the real ones. */
export function atTime<T>(now: number, action: () => T): T {
  const restore = stopClocks(now);
  try {
    return action();
  } finally {
    restore();
  }
}

/** Does the same until the promise that `action` returns is settled. */
export async function atTimeUntil<T>(now: number, action: () => Promise<T>): Promise<T> {
  const restore = stopClocks(now);
  try {
    return await action();
  } finally {
    restore();
  }
}

function stopClocks(now: number): () => void {
  const restore = [
    replace(Date, 'now', () => now),
    replace(performance, 'now', () => 0),
    replace(performance, 'timeOrigin', now),
  ];
  return () => {
    for (const undo of restore) undo();
  };
}

/**
 * Shadows a property of a host object, which may be inherited and read-only.
 *
 * @returns a function that undoes it
 */
function replace(object: object, property: string, value: unknown): () => void {
  const own = Object.getOwnPropertyDescriptor(object, property);
  Object.defineProperty(object, property, { value, configurable: true, writable: true });
  return () => {
    if (own) Object.defineProperty(object, property, own);
    else Reflect.deleteProperty(object, property);
  };
}

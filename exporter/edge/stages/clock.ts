/**
 * Puts the host's clock under the build's control: frozen while the snapshot is made, so that two builds are equal; set
 * to odd times while profiling, because a Worker's clock stands still and jumps.
 */

/** Runs `action` with all clocks at `now` (milliseconds since 1970), and gives the real ones back. */
export function atTime<T>(now: number, action: () => T): T {
  const restore = stopClocks(now);
  try {
    return action();
  } finally {
    restore();
  }
}

/** The same until what `action` promises is there. */
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

/** Shadows a property of a host object, which may be inherited and read-only. */
function replace(object: object, property: string, value: unknown): () => void {
  const own = Object.getOwnPropertyDescriptor(object, property);
  Object.defineProperty(object, property, { value, configurable: true, writable: true });
  return () => {
    if (own) Object.defineProperty(object, property, own);
    else Reflect.deleteProperty(object, property);
  };
}

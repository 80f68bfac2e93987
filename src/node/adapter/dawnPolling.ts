// While work is pending, Dawn in Node polls from the global setImmediate, at each turn of the event loop, so that the
// thread never sleeps (node-webgpu #17). A software adapter needs that core for computing: there Dawn polls once a
// millisecond instead. `docs/performance.md` has the gain.

/** Milliseconds between two polls: Node's shortest timer, and short compared with a step on a software adapter. */
const INTERVAL = 1;

/**
 * Dawn's callback is a native function without a name; bound functions, which are native as well, are called "bound …".
 */
function isDawns(callback: (...parameters: never[]) => void): boolean {
  return callback.name === "" && Function.prototype.toString.call(callback).includes("[native code]");
}

/** Makes Dawn poll by a timer; call it once. Other callers of setImmediate are not affected. */
export function slowDawnsPolling(): void {
  const immediate = globalThis.setImmediate;
  const instead = (callback: (...parameters: never[]) => void, ...parameters: never[]) =>
    isDawns(callback) ? setTimeout(callback, INTERVAL, ...parameters) : immediate(callback, ...parameters);
  // Keeps the property that util.promisify looks up for the promise-based form.
  Object.defineProperties(instead, Object.getOwnPropertyDescriptors(immediate));
  globalThis.setImmediate = instead as unknown as typeof immediate;
}

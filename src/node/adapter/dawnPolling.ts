// While anything is asked of Dawn in Node, it polls: from the global setImmediate, at each turn of the event loop, so that
// the thread never sleeps (node-webgpu #17). That core is the GPU's own where a software adapter computes on the CPU; there
// Dawn polls once a millisecond instead. `docs/performance.md` has what it brought.

/** Between two looks of Dawn at its queue, in ms: Node's shortest timer, and short beside a software adapter's steps. */
const INTERVAL = 1;

/** Dawn's callback is a native function without a name; bound functions, which are native as well, are called "bound …". */
function isDawns(callback: (...parameters: never[]) => void): boolean {
  return callback.name === "" && Function.prototype.toString.call(callback).includes("[native code]");
}

/** From now on Dawn polls by a timer; to be called once. Whatever else calls setImmediate gets what it asks for. */
export function slowDawnsPolling(): void {
  const immediate = globalThis.setImmediate;
  const instead = (callback: (...parameters: never[]) => void, ...parameters: never[]) =>
    isDawns(callback) ? setTimeout(callback, INTERVAL, ...parameters) : immediate(callback, ...parameters);
  // With the property that util.promisify looks up for the promise-based form.
  Object.defineProperties(instead, Object.getOwnPropertyDescriptors(immediate));
  globalThis.setImmediate = instead as unknown as typeof immediate;
}

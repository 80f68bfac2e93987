// The program of the bench's Node host: sets navigator.gpu to Dawn, then runs the same functions as the page.
import { thisMachine } from "../../src/node/adapter/findAdapter.mjs";
import { openDawn } from "../../src/node/adapter/openDawn.mjs";
import { fileTuningStore } from "../../src/node/index.ts";

const [folder] = process.argv.slice(2);
const { gpu, tried } = await openDawn(thisMachine());
if (!gpu) {
  console.error(`bench: no WebGPU adapter. ${tried.join(". ")}.`);
  process.exit(1);
}
const { navigator = {} } = globalThis as { navigator?: object };
Object.defineProperty(globalThis, "navigator", {
  value: Object.create(navigator, { gpu: { value: gpu }, userAgent: { value: `Node ${process.version}` } }),
  configurable: true,
});
Object.assign(globalThis, {
  settle: (id: number, error: string | null, value: string) => process.send!([id, error, value]),
});
const { setTuningStore } = await import("../page/ours.ts");
setTuningStore(fileTuningStore(folder));
await import("../page/main.ts"); // requires the globals above
const { start } = globalThis as unknown as { start(id: number, method: string, rest: unknown[]): void };
process.on("message", (message) => start(...(message as [number, string, unknown[]])));
process.send!("ready");

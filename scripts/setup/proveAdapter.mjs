// @ts-check
// Opens a WebGPU adapter and device in Node and prints which, as JSON. A process of its own, since a broken driver can
// take the process down with it.
import { thisMachine } from "../../src/node/adapter/findAdapter.mjs";
import { openDawn } from "../../src/node/adapter/openDawn.mjs";

const { gpu, driver, tried } = await openDawn(thisMachine());
const adapter = await gpu?.requestAdapter({ powerPreference: "high-performance" });
if (adapter) {
  const { vendor, architecture, device, isFallbackAdapter } = adapter.info;
  (await adapter.requestDevice()).destroy();
  const name =
    architecture === "swiftshader" ? "SwiftShader" : [vendor, architecture, device].filter(Boolean).join(" ");
  const software = driver !== null || isFallbackAdapter;
  console.log(JSON.stringify({ adapter: { name, software }, tried }));
} else {
  console.log(JSON.stringify({ adapter: null, tried }));
}

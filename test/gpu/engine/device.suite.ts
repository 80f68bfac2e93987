// The device: requested limits, refusals, and pending work when the device is lost.

import { adam, mean, openDevice, relu, scale, Tape } from "../../../src/index.ts";
import { assert, assertEqual, assertThrows, define, settings } from "../suite.ts";

const open = (limits?: Record<string, number>) => openDevice({ ...settings.opening, limits });

define("device: it has its adapter's full storage limits", async (device) => {
  const adapter = await (settings.opening.gpu ?? navigator.gpu).requestAdapter({ powerPreference: "high-performance" });
  for (const name of ["maxBufferSize", "maxStorageBufferBindingSize"] as const) {
    assertEqual(name, device.gpu.limits[name], adapter!.limits[name]);
  }
});

define("errors: a limit beyond the adapter's is refused by name", () =>
  assertThrows("openDevice", () => open({ maxBufferSize: 2 ** 52 }), ["maxBufferSize", String(2 ** 52)]),
);

define("errors: a tensor too large for the device is named, with its size and the limit", async () => {
  const most = 128 * 2 ** 20; // what every WebGPU device can bind
  const small = await open({ maxStorageBufferBindingSize: most });
  const tape = new Tape(small);
  const x = tape.input("pictures", [most / 4 + 4]);
  const parts = ["pictures", String(most + 16), String(most)];
  await assertThrows("compile", () => tape.compile({ outputs: { y: relu(x) } }), parts);
  small.dispose();
});

define("errors: when the device is lost, steps in flight and later ones reject", async () => {
  const lost = await open();
  const tape = new Tape(lost);
  const w = tape.parameter("w", [1024], { initial: 1 });
  const step = await tape.compile({ loss: mean(scale(w, 2)), optimizer: adam() });
  await step.run({});
  const inFlight = Promise.allSettled([1, 2, 3, 4, 5, 6].map(() => step.run({})));
  lost.gpu.destroy();
  const results = await inFlight;
  for (const result of results) {
    if (result.status === "rejected") assert(/was lost/.test(String(result.reason)), `rejected with ${result.reason}`);
  }
  assert(results.at(-1)!.status === "rejected", "the last step in flight resolved");
  await assertThrows("a step after the loss", () => step.run({}), ["was lost"]);
  await assertThrows("a read after the loss", () => w.read(), ["was lost"]);
  lost.dispose();
});

// openDevice() of Node in processes of its own: what it opens, what it says, and that the process ends afterwards.
import { execFile } from "node:child_process";
import { rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { buildPrograms } from "../bundle.ts";

const root = path.resolve(import.meta.dirname, "../..");
const folder = path.join(root, "build", `device-test-${process.pid}`); // inside, where packages resolve

beforeAll(() => buildPrograms(folder, { device: path.join(root, "src/node/adapter/device.ts") }));
afterAll(() => rmSync(folder, { recursive: true }));

interface Ended {
  status: number | string | null;
  stdout: string;
  stderr: string;
}

/** For the system's Vulkan to find no driver. */
const noDriver = { VK_DRIVER_FILES: "/nowhere/driver.json" };

let scripts = 0;
/** Runs `script`, with openDevice in scope, to its end; a process that does not end by itself is killed: null. */
function ends(script: string, env: Record<string, string> = {}): Promise<Ended> {
  const file = path.join(folder, `script-${scripts++}.mjs`);
  writeFileSync(file, `import { openDevice } from "./device.mjs";\n${script}`);
  const options = { env: { ...process.env, ...env }, timeout: 20_000 };
  return new Promise((resolve) => {
    execFile(process.execPath, ["--expose-gc", file], options, (error, stdout, stderr) => {
      resolve({ status: error ? (error.code ?? null) : 0, stdout, stderr });
    });
  });
}

/** Copies four numbers through a buffer on the GPU and prints them. */
const work = `
  const buffer = device.gpu.createBuffer({ size: 16, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST });
  device.gpu.queue.writeBuffer(buffer, 0, new Float32Array([1, 2, 3, 4]));
  await buffer.mapAsync(GPUMapMode.READ);
  console.log(new Float32Array(buffer.getMappedRange()).join(" "));
`;

describe("a process that opens a device", () => {
  test.each([
    ["disposed", "device.dispose();"],
    ["left open", ""],
  ])("ends by itself with the device %s", async (_, end) => {
    const ended = await ends(`const device = await openDevice();${work}${end}`);
    expect(ended).toMatchObject({ status: 0, stdout: "1 2 3 4\n" });
  });

  test("ends by itself right after opening, however often it opened", async () => {
    const script = "for (let i = 0; i < 5; i++) (await openDevice()).dispose();";
    // What garbage collection and Dawn's polling do to each other depends on their timing: try more than once.
    for (let attempt = 0; attempt < 5; attempt++) expect(await ends(script)).toMatchObject({ status: 0 });
  });

  test("keeps its device through garbage collection", async () => {
    const collect = "for (let i = 0; i < 5; i++) { gc(); await new Promise((done) => setTimeout(done, 5)); }";
    const ended = await ends(`const device = await openDevice();${collect}${work}device.dispose();${collect}`);
    expect(ended).toMatchObject({ status: 0, stdout: "1 2 3 4\n" });
  });
});

describe.runIf(process.platform === "linux")("without a GPU driver", () => {
  test("leaves the processor to the software adapter while it waits, and setImmediate to everybody else", async () => {
    const script = `
      const device = await openDevice();
      const code = "@group(0) @binding(0) var<storage, read_write> x: array<f32>;" +
        "@compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3u) {" +
        "  var v = f32(id.x); for (var i = 0; i < 30000; i++) { v = fma(v, 0.5, 1.0); } x[id.x] = v; }";
      const compute = { module: device.gpu.createShaderModule({ code }), entryPoint: "main" };
      const pipeline = await device.gpu.createComputePipelineAsync({ layout: "auto", compute });
      const results = device.gpu.createBuffer({ size: 65536, usage: GPUBufferUsage.STORAGE });
      const bindings = [{ binding: 0, resource: { buffer: results } }];
      const bound = device.gpu.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries: bindings });
      const before = performance.eventLoopUtilization();
      const encoder = device.gpu.createCommandEncoder();
      const pass = encoder.beginComputePass();
      pass.setPipeline(pipeline);
      pass.setBindGroup(0, bound);
      pass.dispatchWorkgroups(256);
      pass.end();
      device.gpu.queue.submit([encoder.finish()]);
      await device.gpu.queue.onSubmittedWorkDone();
      const { idle, active } = performance.eventLoopUtilization(before);
      const promised = await promisify(setImmediate)("promised");
      const passed = await new Promise((done) => setImmediate((...all) => done(all), 1, 2));
      const canceled = setImmediate(() => console.log("not canceled"));
      clearImmediate(canceled);
      console.log(JSON.stringify({ software: device.adapter.software, idle, active, promised, passed }));
      device.dispose();`;
    const ended = await ends(`import { promisify } from "node:util";${script}`, noDriver);
    expect(ended).toMatchObject({ status: 0 });
    const { idle, active, ...others } = JSON.parse(ended.stdout);
    expect(others).toEqual({ software: true, promised: "promised", passed: [1, 2] });
    expect(idle, `of ${idle + active} ms`).toBeGreaterThan(active); // a thread that polls at every turn is never idle
  });

  test("a software adapter is taken, and that is said once", async () => {
    const script = `
      for (let i = 0; i < 2; i++) {
        const device = await openDevice();
        console.log(device.adapter.software);
        device.dispose();
      }
      console.log(process.env.VK_DRIVER_FILES);`;
    const { status, stdout, stderr } = await ends(script, noDriver);
    expect({ status, stdout }).toEqual({ status: 0, stdout: "true\ntrue\n/nowhere/driver.json\n" });
    expect(stderr).toMatch(/^twingrad: no GPU found; computing on the CPU with the software adapter \S.*\n$/);
  });

  test("an adapter is taken by a part of its name, and where none has it the error says so", async () => {
    const script = `
      const device = await openDevice({ name: "SwiftShader", tell: () => undefined });
      console.log(device.adapter.description);
      device.dispose();
      await openDevice({ name: "Voodoo" }).catch(({ code, message }) => console.log(code, message));`;
    const { status, stdout } = await ends(script, noDriver);
    expect(status).toBe(0);
    expect(stdout).toMatch(/SwiftShader.*\nNO_ADAPTER Found no WebGPU adapter whose name has "Voodoo"/);
  });

  test("asking for the system's adapter alone is an error that says what to install", async () => {
    const script = 'await openDevice({ adapter: "system" }).catch((error) => console.log(error.code, error.message));';
    const { status, stdout } = await ends(script, noDriver);
    expect(status).toBe(0);
    expect(stdout).toMatch(/^NO_ADAPTER Found no WebGPU adapter\. GPU: no Vulkan driver is installed\. Install a GPU/);
  });
});

test.runIf(process.platform === "linux")("the software adapter can be asked for whatever else there is", async () => {
  const script = `
    const device = await openDevice({ adapter: "software" });
    console.log(device.adapter.software);
    device.dispose();`;
  expect(await ends(script)).toMatchObject({ status: 0, stdout: "true\n" });
});

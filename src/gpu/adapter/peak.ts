// Measures the adapter's multiply-add peak in registers, without memory traffic. It takes the best of several numbers
// of independent accumulators (too few stall the pipeline, too many spill) and of both ways to write a multiply-add. A
// kernel's throughput is reported as a share of this peak.

/** How the loop is written: a compiler need not fuse a product and a sum, nor keep an fma. */
type Form = "fma" | "multiply and add";

interface Attempt {
  readonly form: Form;
  /** Number of independent vec4f accumulators. */
  readonly accumulators: number;
  /** Billions of operations per second; a multiply-add counts as two. */
  readonly gflops: number;
}

export interface Peak extends Attempt {
  readonly tried: readonly Attempt[];
}

const candidates = [2, 3, 4, 8, 16, 24, 32];
const forms: readonly Form[] = ["fma", "multiply and add"];
const workgroupSize = 64;
const shortest = 100; // minimum duration of a measurement, in milliseconds
const mostGroups = 4096;

/**
 * Accumulators stay in registers only as separate variables, so the source is generated for their number. No two
 * components hold the same value, because a compiler would compute equal ones once.
 */
function source(form: Form, accumulators: number): string {
  const step = (i: number) =>
    form === "fma" ? `a${i} = fma(a${i}, factor, addend);` : `a${i} = a${i} * factor + addend;`;
  const each = (line: (i: number) => string) => Array.from({ length: accumulators }, (_, i) => line(i)).join("\n");
  return `
    struct Arguments { factor: vec4f, addend: vec4f, rounds: u32 }
    @group(0) @binding(0) var<storage, read_write> output: array<vec4f>;
    @group(0) @binding(1) var<uniform> arguments: Arguments;
    @compute @workgroup_size(${workgroupSize})
    fn main(@builtin(global_invocation_id) id: vec3u) {
      let factor = arguments.factor;
      let addend = arguments.addend;
      let start = vec4f(f32(id.x)) + vec4f(0.0, 0.25, 0.5, 0.75);
      ${each((i) => `var a${i} = start + ${i}.0;`)}
      for (var round = 0u; round < arguments.rounds; round++) {
        ${Array.from({ length: 4 }, () => each(step)).join("\n")}
      }
      output[id.x] = ${Array.from({ length: accumulators }, (_, i) => `a${i}`).join(" + ")};
    }`;
}

async function open(): Promise<GPUDevice> {
  const adapter = await navigator.gpu.requestAdapter({ powerPreference: "high-performance" });
  if (!adapter) throw new Error("WebGPU found no adapter.");
  return adapter.requestDevice();
}

/**
 * @param onProgress is called before each attempt with the number of finished attempts. If it throws, the measurement ends.
 */
export async function measurePeak(onProgress?: (done: number, all: number) => Promise<void>): Promise<Peak> {
  const device = await open();
  const tried: Attempt[] = [];
  try {
    for (const form of forms) {
      for (const accumulators of candidates) {
        await onProgress?.(tried.length, forms.length * candidates.length);
        tried.push({ form, accumulators, gflops: await rate(device, form, accumulators) });
      }
    }
  } finally {
    device.destroy();
  }
  const best = tried.reduce((a, b) => (b.gflops > a.gflops ? b : a));
  return { ...best, tried };
}

/** Repeats the best loop: the current peak, for a share of it measured at the same time as the work. */
export async function peakNow({ form, accumulators }: Pick<Attempt, "form" | "accumulators">): Promise<number> {
  const device = await open();
  const gflops = await rate(device, form, accumulators);
  device.destroy();
  return gflops;
}

async function rate(device: GPUDevice, form: Form, accumulators: number): Promise<number> {
  const module = device.createShaderModule({ code: source(form, accumulators) });
  const pipeline = await device.createComputePipelineAsync({ layout: "auto", compute: { module } });
  let groups = 64;
  let rounds = 64;
  for (;;) {
    const threads = groups * workgroupSize;
    const output = device.createBuffer({ size: threads * 16, usage: GPUBufferUsage.STORAGE });
    const uniform = device.createBuffer({ size: 48, usage: GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST });
    device.queue.writeBuffer(uniform, 0, new Float32Array([0.999, 0.998, 0.997, 0.996, 0.001, 0.002, 0.003, 0.004]));
    device.queue.writeBuffer(uniform, 32, new Uint32Array([rounds]));
    const entries = [output, uniform].map((buffer, binding) => ({ binding, resource: { buffer } }));
    const bindGroup = device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries });
    const run = async () => {
      const encoder = device.createCommandEncoder();
      const pass = encoder.beginComputePass();
      pass.setPipeline(pipeline);
      pass.setBindGroup(0, bindGroup);
      pass.dispatchWorkgroups(groups);
      pass.end();
      const start = performance.now();
      device.queue.submit([encoder.finish()]);
      await device.queue.onSubmittedWorkDone();
      return performance.now() - start;
    };
    const first = await run();
    const milliseconds = first < shortest ? first : Math.min(first, await run(), await run());
    output.destroy();
    uniform.destroy();
    if (milliseconds >= shortest) return (threads * rounds * 4 * accumulators * 4 * 2) / milliseconds / 1e6;
    // Grow the grid first, until it fills the adapter, then the loop.
    const wanted = Math.min(64, Math.max(2, Math.ceil((1.5 * shortest) / Math.max(milliseconds, 0.1))));
    const more = Math.min(wanted, mostGroups / groups);
    groups *= more;
    rounds *= Math.ceil(wanted / more);
  }
}

// A thin layer over GPUDevice: requests the adapter's limits, names errors, counts buffers.
import { DeviceLostError, inBytes, ResourceError, TwingradError } from "../errors.ts";
import { checkOptions, type Known } from "../options.ts";
import { KernelCache } from "./kernels.ts";
import type { TuningOptions } from "./tuner.ts";
// A cycle of types: a device has a tuner, which times kernels on that device.
import { type DeviceTuner, untuned } from "./untuned.ts";

/** Which adapter a device computes on, in WebGPU's words. */
export interface AdapterInfo {
  /** As "nvidia". */
  readonly vendor: string;
  /** As "ampere"; empty where the browser does not tell. */
  readonly architecture: string;
  /** As "NVIDIA GeForce RTX 3060"; empty where the browser does not tell. */
  readonly description: string;
  /** True when the adapter runs on the CPU (SwiftShader, llvmpipe, WARP). */
  readonly software: boolean;
}

/** How `openDevice` opens a device. */
export interface OpenDeviceOptions {
  /** The GPU object to ask. @default navigator.gpu */
  readonly gpu?: GPU;
  /** Limits lower than the adapter's own, for testing against a smaller adapter. */
  readonly limits?: Readonly<Record<string, number>>;
  /** Times the candidate kernels on this adapter once and uses the fastest; by default rules choose. */
  readonly tuning?: TuningOptions;
  /**
   * `portable`: use only the portable kernel of each operation, those in `shaders/` itself, and no variant for
   * particular hardware or algorithms. Slower; for reading along, and to tell an incorrect kernel from an incorrect
   * network. By default the variants for this adapter are used too.
   */
  readonly kernels?: "portable";
  /** The machine's memory in bytes. A software adapter shares it; programs that need more are refused immediately. */
  readonly hostMemory?: number;
}

const deviceOptions: Known<OpenDeviceOptions> = { gpu: 1, limits: 1, tuning: 1, kernels: 1, hostMemory: 1 };

/** More than any GPU has: programs that need more are refused before they are fully planned. */
const mostMemory = 2 ** 39;

const wantedLimits = [
  "maxBufferSize",
  "maxStorageBufferBindingSize",
  "maxStorageBuffersPerShaderStage",
  "maxComputeWorkgroupStorageSize",
  "maxComputeInvocationsPerWorkgroup",
  "maxComputeWorkgroupSizeX",
  "maxComputeWorkgroupSizeY",
  "maxComputeWorkgroupsPerDimension",
] as const;

/**
 * `storage`: kernels bind it, the host copies to and from it. `uniform`: the host writes it, kernels read it.
 * `readback`: the host maps it after a copy. `queries`: timestamps are resolved into it.
 */
export type BufferKind = keyof typeof bufferUsage;

/** Literal values, because not every runtime has GPUBufferUsage. */
const bufferUsage = {
  storage: 0x80 | 0x4 | 0x8, // STORAGE | COPY_SRC | COPY_DST
  uniform: 0x40 | 0x8, // UNIFORM | COPY_DST
  readback: 0x1 | 0x8, // MAP_READ | COPY_DST
  queries: 0x200 | 0x4, // QUERY_RESOLVE | COPY_SRC
};

/** An open GPU device with its pipelines. Buffers belong to the programs and parameter stores created on it. */
export class Device {
  /** The WebGPU device itself. */
  readonly gpu: GPUDevice;
  /** Which adapter it computes on. */
  readonly adapter: AdapterInfo;
  /**
   * Pipelines and shader modules, shared by all programs on this device.
   * @internal
   */
  readonly kernels: KernelCache;
  /** Chooses among candidate kernels. */
  tuner: DeviceTuner;
  /** Whether only portable kernels are used. */
  readonly portable: boolean;
  /** Rejects, never resolves, when the device is lost. */
  readonly lost: Promise<never>;
  private reason?: DeviceLostError;
  private readonly waiting = new Set<(reason: unknown) => void>();
  private readonly onDispose: (() => void)[] = [];
  private disposed = false;
  private readonly buffers = new Set<GPUBuffer>();
  /** Allocation results of the buffers that are created while `checked` runs its work. */
  private checking: Promise<{ size: number; error: GPUError | null }>[] | undefined;

  /** Opens another device with the same options; undefined if they are unknown. */
  readonly reopen: (() => Promise<Device>) | undefined;

  /** The most bytes that programs may take together, whatever the adapter's limits are. */
  readonly memory: number;

  /** @internal */
  constructor(
    gpu: GPUDevice,
    adapter: AdapterInfo,
    reopen?: () => Promise<Device>,
    portable = false,
    memory = mostMemory,
  ) {
    this.gpu = gpu;
    this.memory = memory;
    this.reopen = reopen;
    this.portable = portable;
    this.adapter = adapter;
    this.kernels = new KernelCache(gpu);
    this.tuner = untuned(adapter);
    this.lost = gpu.lost.then((info) => {
      this.reason = new DeviceLostError(info.message || info.reason);
      this.buffers.clear(); // the device freed them
      for (const reject of this.waiting) reject(this.reason);
      throw this.reason;
    });
    this.lost.catch(() => {}); // avoids an unhandled rejection if nobody awaits it
  }

  /** @internal */
  createBuffer(label: string, size: number, kind: BufferKind = "storage"): GPUBuffer {
    const { gpu, checking } = this;
    if (checking) gpu.pushErrorScope("out-of-memory");
    const buffer = gpu.createBuffer({ label, size, usage: bufferUsage[kind] });
    checking?.push(gpu.popErrorScope().then((error) => ({ size, error })));
    this.buffers.add(buffer);
    return buffer;
  }

  /**
   * Frees a buffer that `createBuffer` made. It may be released again.
   * @internal
   */
  release(buffer: GPUBuffer): void {
    this.buffers.delete(buffer);
    buffer.destroy();
  }

  /** The buffers created and not yet released. */
  live(): { buffers: number; bytes: number } {
    let bytes = 0;
    for (const { size } of this.buffers) bytes += size;
    return { buffers: this.buffers.size, bytes };
  }

  /**
   * @throws LIMIT if the adapter has less memory.
   * @internal
   */
  checkMemory(what: string, needed: number): void {
    const { memory: available } = this;
    if (needed <= available) return;
    const why = `${what} takes ${inBytes(needed)}; this adapter has at most ${inBytes(available)}`;
    throw new ResourceError("LIMIT", why, { needed, available });
  }

  /**
   * The same adapter and limits for planning: buffers of this device are names and sizes, nothing is on the GPU.
   * @internal
   */
  planning(): Device {
    const createBuffer = (label: string, size: number) => ({ label, size });
    return Object.create(this, {
      createBuffer: { value: createBuffer },
      write: { value: () => undefined },
      release: { value: () => undefined },
    });
  }

  /**
   * Queues a write of all of `data`, after the work submitted so far and before later submissions. `data` may be a
   * function: it is not called if nothing is written, as in planning.
   * @internal
   */
  write(buffer: GPUBuffer, offset: number, data: Float32Array | (() => Float32Array)): void {
    const values = typeof data === "function" ? data() : data;
    this.gpu.queue.writeBuffer(buffer, offset, values as Float32Array<ArrayBuffer>);
  }

  /**
   * Runs `work`, and turns the GPU's validation and out-of-memory errors into one error that names `where`.
   * @internal
   */
  async checked<T>(where: string, work: () => T): Promise<T> {
    const { gpu } = this;
    gpu.pushErrorScope("validation");
    gpu.pushErrorScope("out-of-memory");
    const made: NonNullable<typeof this.checking> = [];
    this.checking = made;
    let failure: unknown;
    let value: T | undefined;
    try {
      value = work();
    } catch (error) {
      failure = error;
    }
    this.checking = undefined;
    // Pop the scopes before any await: they are a stack, and concurrent code may push others meanwhile.
    const scopes = [gpu.popErrorScope(), gpu.popErrorScope()];
    const needed = this.live().bytes;
    const [[memory, validation], allocations] = await this.wait(Promise.all([Promise.all(scopes), Promise.all(made)]));
    const refused = allocations.filter(({ error }) => error);
    const error = memory ?? refused[0]?.error;
    if (error) {
      const available = needed - refused.reduce((bytes, { size }) => bytes + size, 0);
      const first = refused.length > 0 ? ` before one of ${inBytes(refused[0].size)} was refused` : "";
      const sizes = `${inBytes(needed)} are needed on the device, ${inBytes(available)} could be allocated${first}`;
      const what = `${where}: the GPU is out of memory: ${sizes} (${error.message.trim().replace(/\.$/, "")})`;
      throw new ResourceError("OUT_OF_MEMORY", what, { needed, available });
    }
    if (failure !== undefined) throw failure;
    if (validation) throw new TwingradError("SHADER", `${where}: ${validation.message}`);
    return value as T;
  }

  /**
   * Waits for the GPU. If the device is lost meanwhile, this rejects with the reason of the loss, not with the error of
   * `work`: runtimes fail pending calls first, and report the loss a moment later.
   * @internal
   */
  wait<T>(work: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      // Not Promise.race with `lost`: that would retain memory of every step until the device is lost.
      const settle = (finish: () => void) => {
        this.waiting.delete(reject);
        finish();
      };
      this.waiting.add(reject);
      work.then(
        (value) => settle(() => resolve(value)),
        (error) => setTimeout(() => settle(() => reject(error)), this.reason ? 0 : 100),
      );
      if (this.reason) reject(this.reason);
    });
  }

  /**
   * Calls `release` when the device is disposed: for a runtime's resources that end with it.
   * @internal
   */
  addDisposer(release: () => void): void {
    this.onDispose.push(release);
  }

  /** Destroys the device and everything on it; pending work rejects with `DeviceLostError`. */
  dispose(): void {
    if (this.disposed) return;
    this.disposed = true;
    this.gpu.destroy();
    this.buffers.clear();
    for (const release of this.onDispose) release();
  }
}

/**
 * Opens the system's GPU with all limits of its adapter: in a page, a worker or Deno. In Node use `openDevice` of
 * `twingrad/node`.
 * @throws NO_ADAPTER without WebGPU, or if it has no adapter.
 * @example
 * ```ts
 * const device = await openDevice();
 * console.log(device.adapter.description, device.adapter.software);
 * device.dispose();
 * ```
 */
export async function openDevice(options: OpenDeviceOptions = {}): Promise<Device> {
  checkOptions("openDevice", options, deviceOptions);
  const portable = options.kernels === "portable";
  if (options.kernels !== undefined && !portable) {
    throw new TwingradError("BAD_INPUT", `kernels is ${JSON.stringify(options.kernels)}; expected "portable".`);
  }
  const gpu = options.gpu ?? globalThis.navigator?.gpu;
  if (!gpu) {
    throw new TwingradError(
      "NO_ADAPTER",
      "This runtime has no WebGPU (navigator.gpu is absent). Use a current Chrome, Edge, Safari or Firefox on a secure " +
        'page, Deno, or in Node openDevice() of "twingrad/node".',
    );
  }
  const adapter = await gpu.requestAdapter({ powerPreference: "high-performance" });
  if (!adapter) {
    throw new TwingradError(
      "NO_ADAPTER",
      "WebGPU found no adapter. Update the graphics driver, or start the browser with a software adapter " +
        "(Chrome: --enable-unsafe-webgpu --use-webgpu-adapter=swiftshader).",
    );
  }
  const requiredLimits: Record<string, number> = {};
  for (const name of wantedLimits) {
    const available = adapter.limits[name];
    const wanted = options.limits?.[name] ?? available;
    if (wanted > available) {
      throw new TwingradError("LIMIT", `The requested ${name} is ${wanted}; this adapter supports ${available}.`);
    }
    requiredLimits[name] = wanted;
  }
  const requiredFeatures = (["timestamp-query", "subgroups", "shader-f16"] as GPUFeatureName[]).filter((f) =>
    adapter.features.has(f),
  );
  const device = await adapter.requestDevice({ requiredLimits, requiredFeatures });
  const { vendor, architecture, description, device: product } = adapter.info;
  const software = /swiftshader|llvmpipe|lavapipe|warp|software|basic render/i.test(
    `${vendor} ${architecture} ${description} ${product}`,
  );
  const info = { vendor, architecture, description: description || product, software };
  const memory = software ? options.hostMemory : undefined;
  const opened = new Device(device, info, () => openDevice(options), portable, memory);
  if (options.tuning) {
    const { Tuner } = await import("./tuner.ts");
    const tuner = new Tuner(opened);
    await tuner.open(options.tuning);
    opened.tuner = tuner;
  }
  return opened;
}

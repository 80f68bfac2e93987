// Pipelines, created once for each (shader, tunables, constants) and kept for the life of the device.
import { TwingradError } from "../errors.ts";
import { overridesOf, type Shader, specialize } from "./shader.ts";

export class KernelCache {
  private readonly gpu: GPUDevice;
  private readonly modules = new Map<string, GPUShaderModule>();
  private readonly layouts = new Map<string, GPUBindGroupLayout>();
  private readonly pipelines = new Map<string, Promise<GPUComputePipeline>>();

  constructor(gpu: GPUDevice) {
    this.gpu = gpu;
  }

  /** The bind group layout for a shader's reflected bindings. */
  layout(shader: Shader): GPUBindGroupLayout {
    let layout = this.layouts.get(shader.name);
    if (!layout) {
      const { binding } = shader.shape ?? {};
      const shape = binding === undefined ? [] : [{ binding, access: "uniform" } as const];
      const all = [...Object.values(shader.bindings), ...shape];
      const type = { read: "read-only-storage", read_write: "storage", uniform: "uniform" } as const;
      layout = this.gpu.createBindGroupLayout({
        label: shader.name,
        entries: all.map(({ binding, access }) => ({
          binding,
          visibility: 4, // GPUShaderStage.COMPUTE, spelled out because not every runtime has the global
          buffer: { type: type[access] },
        })),
      });
      this.layouts.set(shader.name, layout);
    }
    return layout;
  }

  /** Binds a shader's buffers by binding name, and its shape uniform if it has one (see `writeShapes`). */
  bindGroup(
    shader: Shader,
    ranges: Readonly<Record<string, GPUBufferBinding>>,
    shape: GPUBufferBinding | undefined,
  ): GPUBindGroup {
    const entries = Object.entries(ranges).map(([name, resource]) => ({
      binding: shader.bindings[name].binding,
      resource,
    }));
    if (shader.shape) entries.push({ binding: shader.shape.binding, resource: shape! });
    return this.gpu.createBindGroup({ label: shader.name, layout: this.layout(shader), entries });
  }

  /**
   * Starts creating a pipeline (compilation runs in parallel with the calling thread) or returns the existing one.
   * @param values of its override constants; other values, those of its shape, are ignored here.
   */
  pipeline(
    shader: Shader,
    values: Readonly<Record<string, number>>,
    tunables: Readonly<Record<string, number>> = {},
  ): Promise<GPUComputePipeline> {
    const constants = overridesOf(shader, values);
    const variant = shader.name + JSON.stringify(tunables);
    const key = variant + JSON.stringify(constants);
    let pipeline = this.pipelines.get(key);
    if (!pipeline) {
      pipeline = this.create(shader, variant, constants, tunables);
      this.pipelines.set(key, pipeline);
    }
    return pipeline;
  }

  private async create(
    shader: Shader,
    variant: string,
    constants: Readonly<Record<string, number>>,
    tunables: Readonly<Record<string, number>>,
  ): Promise<GPUComputePipeline> {
    let module = this.modules.get(variant);
    if (!module) {
      // An error is reported below with its lines, not by the scope that a caller may have opened.
      this.gpu.pushErrorScope("validation");
      module = this.gpu.createShaderModule({ label: shader.name, code: specialize(shader, tunables) });
      this.gpu.popErrorScope().catch(() => {}); // the device is lost
      this.modules.set(variant, module);
    }
    try {
      return await this.gpu.createComputePipelineAsync({
        label: shader.name,
        layout: this.gpu.createPipelineLayout({ bindGroupLayouts: [this.layout(shader)] }),
        compute: { module, entryPoint: "main", constants: { ...constants } },
      });
    } catch (error) {
      const { messages } = await module.getCompilationInfo();
      const lines = specialize(shader, tunables).split("\n");
      const report = messages.map((m) => `  line ${m.lineNum}: ${m.message}\n    ${lines[m.lineNum - 1] ?? ""}`);
      const reason = error instanceof Error ? error.message : String(error);
      throw new TwingradError(
        "SHADER",
        `${shader.name} with ${JSON.stringify(constants)}: ${[reason, ...report].join("\n")}`,
      );
    }
  }
}

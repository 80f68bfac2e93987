// Counts an engine's WebGPU calls, from outside and in the same way for each: the prototypes' methods are wrapped
// before any engine starts.

export interface Counts {
  dispatches: number;
  computePasses: number;
  submits: number;
  bindGroups: number;
  buffers: number;
  bufferWrites: number;
  shaderModules: number;
  pipelines: number;
}

const none = (): Counts => ({
  dispatches: 0,
  computePasses: 0,
  submits: 0,
  bindGroups: 0,
  buffers: 0,
  bufferWrites: 0,
  shaderModules: 0,
  pipelines: 0,
});

/** Everything one engine did so far. */
export class Account {
  counts = none();
  liveBytes = 0;
  liveBuffers = 0;
  peakBytes = 0;
  /** `performance.now()` when the last submit returned. */
  lastSubmit = 0;
  /** When each pipeline was requested and when it was ready, in `performance.now()`. */
  readonly pipelines: { readonly asked: number; made: number }[] = [];

  reset(): void {
    this.counts = none();
  }
}

/** The account of the engine that is running: engines run one at a time. */
let current: Account | undefined;

export function setCurrent(account: Account | undefined): void {
  current = account;
}

// biome-ignore lint/suspicious/noExplicitAny: the wrapper passes on whatever it is given
type Method = (this: any, ...rest: any[]) => any;

function wrap(
  prototype: object,
  name: string,
  before: (account: Account) => void,
  after?: (a: Account, made: unknown) => void,
) {
  const methods = prototype as Record<string, Method>;
  const original = methods[name];
  methods[name] = function (...rest) {
    const account = current;
    if (account) before(account);
    const result = original.apply(this, rest);
    if (account && after) after(account, result);
    return result;
  };
}

/** Wraps the prototypes; call it once, before any engine starts. */
export function install(): void {
  const owners = new WeakMap<GPUBuffer, Account>();
  const counting = (key: keyof Counts) => (account: Account) => {
    account.counts[key]++;
  };
  wrap(GPUDevice.prototype, "createBuffer", counting("buffers"), (account, made) => {
    const buffer = made as GPUBuffer;
    owners.set(buffer, account);
    account.liveBuffers++;
    account.liveBytes += buffer.size;
    account.peakBytes = Math.max(account.peakBytes, account.liveBytes);
  });
  wrap(GPUDevice.prototype, "createBindGroup", counting("bindGroups"));
  wrap(GPUDevice.prototype, "createShaderModule", counting("shaderModules"));
  wrap(GPUDevice.prototype, "createComputePipeline", counting("pipelines"));
  wrap(GPUDevice.prototype, "createComputePipelineAsync", counting("pipelines"), (account, made) => {
    const pipeline = { asked: performance.now(), made: Number.NaN };
    account.pipelines.push(pipeline);
    const settled = () => {
      pipeline.made = performance.now();
    };
    (made as Promise<GPUComputePipeline>).then(settled, settled);
  });
  wrap(GPUCommandEncoder.prototype, "beginComputePass", counting("computePasses"));
  wrap(GPUComputePassEncoder.prototype, "dispatchWorkgroups", counting("dispatches"));
  wrap(GPUComputePassEncoder.prototype, "dispatchWorkgroupsIndirect", counting("dispatches"));
  wrap(GPUQueue.prototype, "writeBuffer", counting("bufferWrites"));
  wrap(GPUQueue.prototype, "submit", counting("submits"), (account) => {
    account.lastSubmit = performance.now();
  });
  const destroy = GPUBuffer.prototype.destroy;
  GPUBuffer.prototype.destroy = function () {
    const owner = owners.get(this);
    if (owner) {
      owners.delete(this); // a buffer may be destroyed twice
      owner.liveBuffers--;
      owner.liveBytes -= this.size;
    }
    return destroy.call(this);
  };
}

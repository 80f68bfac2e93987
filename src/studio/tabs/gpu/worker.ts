// The worker's part of the This GPU tab.
import { TwingradError } from "../../../errors.ts";
import type { GpuDescription } from "../../messages.ts";
import type { Context, Handlers } from "../../worker/context.ts";
import { benchmark } from "./benchmark.ts";

export function handlers({ device, publisher, training }: Context): Handlers<"gpu"> {
  let running = false;
  let canceled = false;
  const describe = async (): Promise<GpuDescription> => {
    const { adapter, gpu } = await device();
    const { vendor, architecture, description, software } = adapter;
    const limits: Record<string, number> = {};
    // Limits are getters of the prototype, which spreading does not copy.
    for (const name in gpu.limits) {
      const value = gpu.limits[name as keyof GPUSupportedLimits];
      if (typeof value === "number") limits[name] = value;
    }
    const found = await navigator.gpu.requestAdapter({ powerPreference: "high-performance" });
    return {
      adapter: { vendor, architecture, description },
      software,
      limits,
      features: [...(found?.features ?? gpu.features)].map(String).sort(),
    };
  };
  return {
    "gpu.describe": describe,
    "gpu.benchmark": async () => {
      if (running) throw new TwingradError("BAD_INPUT", "The benchmark is running already.");
      if (training.busy) {
        throw new TwingradError("BAD_INPUT", "A network is training: pause it first, or both will be slow.");
      }
      running = true;
      canceled = false;
      try {
        const told = (text: string, done: number, total: number) => publisher.set("activity", { text, done, total });
        return await benchmark(await device(), await describe(), { canceled: () => canceled, told });
      } finally {
        running = false;
        publisher.set("activity", null);
      }
    },
    "gpu.cancel": async () => {
      canceled = true;
    },
  };
}

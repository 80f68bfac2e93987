// onnxruntime-web, for inference only: its WebGPU provider, and its WebAssembly provider for the speed of the CPU. Both
// read the ONNX file that we export.
import type { InferenceSession } from "onnxruntime-web";
import type { Embedding, Embeds } from "./engine.ts";

type Ort = typeof import("onnxruntime-web");

/** The URL of its WebAssembly files on the page's server (bench/browser.ts); Node finds them by itself. */
const served = "/onnxruntime/";

async function engine(provider: "webgpu" | "wasm", { onnx }: { readonly onnx: Uint8Array }): Promise<Embeds> {
  const ort: Ort = await import("onnxruntime-web/webgpu");
  if (typeof document !== "undefined") ort.env.wasm.wasmPaths = served;
  ort.env.wasm.numThreads = navigator.hardwareConcurrency; // the default is half of them
  ort.env.logLevel = "error"; // without the warning that a few shape nodes run on the CPU
  const session: InferenceSession = await ort.InferenceSession.create(onnx, { executionProviders: [provider] });
  return {
    async embed(pictures, count) {
      const [, ...picture] = (session.inputMetadata[0] as { readonly shape: readonly number[] }).shape;
      const images = new ort.Tensor("float32", pictures, [count, ...picture]);
      const { embedding } = await session.run({ images });
      return (await embedding.getData()) as Float32Array;
    },
    dispose: () => session.release(),
  };
}

export const onnxruntime: Embedding = { name: "onnxruntime", inference: (_, files) => engine("webgpu", files) };
export const onnxruntimeWasm: Embedding = { name: "onnxruntime-wasm", inference: (_, files) => engine("wasm", files) };

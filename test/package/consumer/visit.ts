// What a page does with the library: it trains here and in a worker of its own, and has pictures decoded in the library's.
import { openDevice, TwingradError } from "twingrad";
import { PageDecoder, type PageDecoderOptions } from "twingrad/web";
import { train } from "./training.js";

export async function visit(options: PageDecoderOptions = {}): Promise<void> {
  const report = await seen(options).catch((error: Error) => ({ error: String(error.stack) }));
  document.documentElement.dataset.report = JSON.stringify(report);
}

async function seen(options: PageDecoderOptions) {
  const page = await train(await openDevice());
  const worker = await trainInWorker();
  const picture = await drawn();
  // The page's own thread cannot decode: whatever is decoded was decoded in a worker.
  globalThis.createImageBitmap = () => Promise.reject(new Error("decoded in the page's thread"));
  const decoder = new PageDecoder({ workers: 1, ...options });
  const pixels = Array.from(await decoder.decode(picture, [1, 2, 3]));
  const error: unknown = await decoder.decode(new Uint8Array([1, 2, 3]), [1, 1, 3]).catch((thrown) => thrown);
  decoder.dispose();
  if (!(error instanceof TwingradError)) throw new Error(`the worker's error is no TwingradError: ${error}`);
  return { page, worker, pixels, refused: error.code };
}

function trainInWorker(): Promise<number[]> {
  const worker = new Worker(new URL("./worker.js", import.meta.url), { type: "module" });
  return new Promise((resolve, reject) => {
    worker.onmessage = ({ data }) => resolve(data);
    worker.onerror = ({ message }) => reject(new Error(`the worker failed: ${message || "it could not be loaded"}`));
  });
}

/** A PNG of one color. */
async function drawn(): Promise<Uint8Array> {
  const canvas = new OffscreenCanvas(4, 2);
  const context = canvas.getContext("2d");
  if (!context) throw new Error("this browser draws nothing");
  context.fillStyle = "rgb(200, 100, 50)";
  context.fillRect(0, 0, 4, 2);
  return new Uint8Array(await (await canvas.convertToBlob()).arrayBuffer());
}

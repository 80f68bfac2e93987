// Decodes pictures off a page's main thread: a few workers with the browser's decoders take turns.
import type { ImageSize } from "../data/imageSize.ts";
import type { StoredPicture } from "../data/pictures/storedPicture.ts";
import { type ErrorCode, TwingradError } from "../errors.ts";
import { checkOptions } from "../options.ts";

export interface Question {
  id: number;
  picture: StoredPicture;
  size: ImageSize;
}

export type Answer =
  | { id: number; pixels: Uint8Array; error?: undefined }
  | { id: number; error: { code: ErrorCode; message: string } };

/** Options of `PageDecoder`. */
export interface PageDecoderOptions {
  /** The number of workers, started when first needed. @default one for each core but one, at most 4 */
  workers?: number;
  /**
   * Creates a worker of `twingrad/web/decoder.worker`; for bundlers that do not follow `new URL(..., import.meta.url)`.
   */
  createWorker?: () => Worker;
}

interface Waiting {
  resolve(pixels: Uint8Array): void;
  reject(error: Error): void;
}

/**
 * Decodes pictures in workers, so that a page stays responsive.
 * @example
 * ```ts
 * import { PageDecoder } from "twingrad/web";
 *
 * const decoder = new PageDecoder({ workers: 2 });
 * const pixels = await decoder.decode(bytes, [56, 46, 1]);
 * decoder.dispose();
 * ```
 */
export class PageDecoder {
  readonly #most: number;
  readonly #create: () => Worker;
  readonly #workers: { worker: Worker; waiting: Map<number, Waiting> }[] = [];
  #asked = 0;
  #disposed = false;

  constructor(options: PageDecoderOptions = {}) {
    checkOptions("PageDecoder", options, { workers: 1, createWorker: 1 });
    const { workers = Math.min(4, Math.max(1, (globalThis.navigator?.hardwareConcurrency ?? 2) - 1)) } = options;
    if (!Number.isInteger(workers) || workers < 1) {
      throw new TwingradError("BAD_INPUT", `Invalid number of workers ${workers}: expected an integer of at least 1.`);
    }
    this.#most = workers;
    this.#create =
      options.createWorker ??
      (() => new Worker(new URL("./decoder.worker.js", import.meta.url), { type: "module", name: "twingrad-decoder" }));
  }

  /**
   * Like `decodeHere`, in a worker: the page's thread only passes on a copy of the bytes, and the pixels. Meant as the
   * `decode` of a dataset.
   */
  readonly decode = (picture: Uint8Array | StoredPicture, size: ImageSize): Promise<Uint8Array> => {
    if (this.#disposed) return Promise.reject(new TwingradError("DISPOSED", "this picture decoder has been disposed"));
    const id = this.#asked++;
    const { worker, waiting } = this.#leastBusy();
    return new Promise((resolve, reject) => {
      waiting.set(id, { resolve, reject });
      const stored = picture instanceof Uint8Array ? { bytes: picture } : picture;
      worker.postMessage({ id, picture: stored, size } satisfies Question);
    });
  };

  /** Ends the workers; pending pictures reject. */
  dispose(): void {
    this.#disposed = true;
    for (const { worker, waiting } of this.#workers.splice(0)) {
      worker.terminate();
      fail(waiting, new TwingradError("DISPOSED", "the picture decoder was disposed while it decoded"));
    }
  }

  #leastBusy() {
    const [free] = [...this.#workers].sort((a, b) => a.waiting.size - b.waiting.size);
    if (free && (free.waiting.size === 0 || this.#workers.length >= this.#most)) return free;
    const started = { worker: this.#create(), waiting: new Map<number, Waiting>() };
    started.worker.onmessage = ({ data }: MessageEvent<Answer>) => {
      const waiting = started.waiting.get(data.id);
      started.waiting.delete(data.id);
      if (data.error) waiting?.reject(new TwingradError(data.error.code, data.error.message));
      else waiting?.resolve(data.pixels);
    };
    // A worker that could not be loaded or crashed: its pending pictures reject, and the next picture starts another
    // one.
    started.worker.onerror = (event) => {
      const place = this.#workers.indexOf(started);
      if (place >= 0) this.#workers.splice(place, 1);
      started.worker.terminate();
      const reason = event.message || "it could not be loaded";
      fail(started.waiting, new TwingradError("BAD_INPUT", `the worker that decodes pictures failed: ${reason}`));
    };
    this.#workers.push(started);
    return started;
  }
}

function fail(waiting: Map<number, Waiting>, error: Error): void {
  for (const { reject } of waiting.values()) reject(error);
  waiting.clear();
}

// What the worker owns and its request handlers share: the device, the pictures, the runs, the storage.
import type { Device } from "../../gpu/device.ts";
import type { PageDecoder } from "../../web/decoder.ts";
import type { Input, Output, RequestName } from "../messages.ts";
import type { Library } from "./data/library.ts";
import type { Models } from "./models.ts";
import type { Publisher } from "./publisher.ts";
import type { Runs } from "./training/runs.ts";
import type { Training } from "./training/training.ts";

export interface Context {
  readonly publisher: Publisher;
  /** The device, opened on first use, and again after it was lost. Rejects where there is none. */
  device(): Promise<Device>;
  readonly decoder: PageDecoder;
  readonly library: Library;
  readonly runs: Runs;
  readonly models: Models;
  readonly training: Training;
  /** Called after everything was deleted, to clear what is held in memory. */
  readonly forgetters: Set<() => void>;
  /** Rasterizes SVG to side x side pixels, in the page. */
  rasterize(svg: string, side: number): Promise<ImageBitmap>;
}

/** The request handlers of one tab, by name. */
export type Handlers<Prefix extends string> = {
  readonly [N in Extract<RequestName, `${Prefix}.${string}`>]: (input: Input<N>) => Promise<Output<N>>;
};

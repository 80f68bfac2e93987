// What the worker owns, handed to whoever answers requests: the device, the pictures, the runs, the storage.
import type { Device } from "../../gpu/device.ts";
import type { PageDecoder } from "../../web/decoder.ts";
import type { Input, Output, RequestName } from "../messages.ts";
import type { Library } from "./data/library.ts";
import type { Publisher } from "./publisher.ts";
import type { Runs } from "./training/runs.ts";
import type { Training } from "./training/training.ts";

export interface Context {
  readonly publisher: Publisher;
  /** The device, opened when it is first needed and again when it was lost. Rejects where there is none. */
  device(): Promise<Device>;
  readonly decoder: PageDecoder;
  readonly library: Library;
  readonly runs: Runs;
  readonly training: Training;
  /** Called after everything was deleted: whoever keeps some of it in memory forgets it. */
  readonly forgetters: Set<() => void>;
  /** Rasterises SVG to side x side pixels, in the page. */
  rasterise(svg: string, side: number): Promise<ImageBitmap>;
}

/** The functions that answer the requests of one tab, by name. */
export type Handlers<Prefix extends string> = {
  readonly [N in Extract<RequestName, `${Prefix}.${string}`>]: (input: Input<N>) => Promise<Output<N>>;
};

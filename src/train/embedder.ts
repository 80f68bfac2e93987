// The tower alone, with inference statistics: pictures to embeddings, for a network in training or a finished one.
import type { CropOptions } from "../data/crop.ts";
import type { Device } from "../gpu/device.ts";
import { TwingradError } from "../gpu/errors.ts";
import type { Program } from "../gpu/program.ts";
import type { Network, NetworkOptions } from "../nn/network.ts";
import { l2Normalize } from "../ops/l2Normalize.ts";
import { type ResizeMethod, resize } from "../ops/resample.ts";
import { scaleBytes } from "../ops/scaleBytes.ts";
import { standardize } from "../ops/standardize.ts";
import type { ParameterStore } from "../tape/parameters.ts";
import { Tape } from "../tape/tape.ts";
import { sizeOf, type Tensor } from "../tape/tensor.ts";
import type { Augmenter } from "./augmenter.ts";

/** Pictures [N, H, W, C]: bytes, or float32 in [0, 1]. */
export type Pictures = Uint8Array | Float32Array;

export type InputDtype = "u8" | "f32";

export interface Embedder {
  /** Any number of pictures to [N, embedding]. Uses the store's weights as they are at each call. */
  embed(images: Pictures): Promise<Float32Array>;
  dispose(): Promise<void>;
}

/** What pictures come as, and what is done to them on the GPU before the network sees them. */
export interface PictureOptions {
  /** Height and width of the pictures that are given; the network's by default. */
  readonly sourceSize?: readonly [height: number, width: number];
  /** How they are resized; `area` by default. */
  readonly resize?: ResizeMethod;
  /** Brings each picture's channels to mean 0 and variance 1: light, contrast and tint are no longer to be learnt from. */
  readonly standardize?: boolean;
  /** How they are cropped before they are given: whoever uses the model must do the same. */
  readonly crop?: CropOptions;
}

/** Height, width, channels of the pictures that are given. */
export function givenSize(
  { imageSize }: NetworkOptions,
  { sourceSize }: PictureOptions = {},
): [number, number, number] {
  const [height, width, channels] = imageSize;
  if (!sourceSize) return [height, width, channels];
  if (sourceSize.length === 2 && sourceSize.every((n) => Number.isInteger(n) && n > 0))
    return [...sourceSize, channels];
  throw new TwingradError(
    "BAD_INPUT",
    `sourceSize is ${JSON.stringify(sourceSize)}; expected [height, width] in whole pixels.`,
  );
}

/** The input "images" as the tower takes it: float32 of the network's size, in [0, 1] or standardised. */
export function picturesInput(
  tape: Tape,
  network: Network,
  count: number,
  dtype: InputDtype,
  pictures?: PictureOptions,
  augmenter?: Augmenter,
): Tensor {
  const [height, width] = network.options.imageSize;
  const given = givenSize(network.options, pictures);
  const images = tape.input("images", [count, ...given], { dtype });
  const sized = () => {
    if (augmenter) return augmenter.record(images);
    if (given[0] !== height || given[1] !== width) return resize(images, [height, width], { method: pictures?.resize });
    return dtype === "u8" ? scaleBytes(images) : images;
  };
  return pictures?.standardize ? standardize(sized()) : sized();
}

/**
 * Compiles the tower for `batchSize` pictures in bytes; the form for float32 follows when first needed. More pictures
 * go in chunks; the last is filled up with zeros, whose embeddings are dropped. With a loss on distances embeddings have
 * unit length.
 */
export async function towerEmbedder(parts: {
  device: Device;
  store: ParameterStore;
  network: Network;
  loss: string;
  batchSize: number;
  pictures?: PictureOptions;
}): Promise<Embedder> {
  const { device, store, network, loss, batchSize, pictures } = parts;
  const { embedding } = network.options;
  const imageSize = givenSize(network.options, pictures);
  const size = sizeOf(imageSize);
  const programs = new Map<InputDtype, Promise<Program>>();
  const compiled = (dtype: InputDtype) => {
    let program = programs.get(dtype);
    if (!program) {
      const tape = new Tape(device, { parameters: store });
      const tower = network.tower(tape, picturesInput(tape, network, batchSize, dtype, pictures), { training: false });
      program = tape.compile({ outputs: { embeddings: loss === "cross-entropy" ? tower : l2Normalize(tower) } });
      programs.set(dtype, program);
      program.catch(() => programs.delete(dtype));
    }
    return program;
  };
  await compiled("u8");

  return {
    async embed(images) {
      const count = images.length / size;
      if (!Number.isInteger(count)) {
        const shape = ["N", ...imageSize].join(", ");
        throw new TwingradError(
          "BAD_INPUT",
          `embedder: ${images.length} values are no whole number of pictures [${shape}].`,
        );
      }
      const program = await compiled(images instanceof Uint8Array ? "u8" : "f32");
      const result = new Float32Array(count * embedding);
      const chunks: Promise<void>[] = [];
      for (let first = 0; first < count; first += batchSize) {
        const part = images.subarray(first * size, (first + batchSize) * size);
        const full =
          images instanceof Uint8Array ? new Uint8Array(batchSize * size) : new Float32Array(batchSize * size);
        full.set(part);
        const taken = part.length / size;
        const chunk = program.run({ images: full }).then(({ embeddings }) => {
          result.set((embeddings as Float32Array).subarray(0, taken * embedding), first * embedding);
        });
        chunks.push(chunk);
      }
      await Promise.all(chunks);
      return result;
    },
    async dispose() {
      for (const program of programs.values()) (await program).dispose();
    },
  };
}

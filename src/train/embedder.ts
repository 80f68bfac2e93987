// The tower alone, with inference statistics: pictures to embeddings, for a network in training or a finished one.
import type { Device } from "../gpu/device.ts";
import { TwingradError } from "../gpu/errors.ts";
import type { Program } from "../gpu/program.ts";
import type { SiameseNetwork } from "../nn/siamese.ts";
import { l2Normalize } from "../ops/l2Normalize.ts";
import { scaleBytes } from "../ops/scaleBytes.ts";
import type { ParameterStore } from "../tape/parameters.ts";
import { Tape } from "../tape/tape.ts";
import { sizeOf, type Tensor } from "../tape/tensor.ts";

/** Pictures [N, H, W, C]: bytes, or float32 in [0, 1]. */
export type Pictures = Uint8Array | Float32Array;

export type InputDtype = "u8" | "f32";

export interface Embedder {
  /** Any number of pictures to [N, embedding]. Uses the store's weights as they are at each call. */
  embed(images: Pictures): Promise<Float32Array>;
  dispose(): Promise<void>;
}

export function picturesInput(tape: Tape, network: SiameseNetwork, count: number, dtype: InputDtype): Tensor {
  const images = tape.input("images", [count, ...network.options.imageSize], { dtype });
  return dtype === "u8" ? scaleBytes(images) : images;
}

/**
 * Compiles the tower for `batchSize` pictures in bytes; the form for float32 follows when first needed. More pictures
 * go in chunks; the last is filled up with zeros, whose embeddings are dropped. With a loss on distances embeddings have
 * unit length.
 */
export async function towerEmbedder(parts: {
  device: Device;
  store: ParameterStore;
  network: SiameseNetwork;
  loss: string;
  batchSize: number;
}): Promise<Embedder> {
  const { device, store, network, loss, batchSize } = parts;
  const { imageSize, embedding } = network.options;
  const size = sizeOf(imageSize);
  const programs = new Map<InputDtype, Promise<Program>>();
  const compiled = (dtype: InputDtype) => {
    let program = programs.get(dtype);
    if (!program) {
      const record = () => {
        const tape = new Tape(device, { parameters: store });
        return network.tower(tape, picturesInput(tape, network, batchSize, dtype), { training: false });
      };
      program = device.tuner.tune(record).then(() => {
        const tower = record();
        return tower.tape.compile({ outputs: { embeddings: loss === "cross-entropy" ? tower : l2Normalize(tower) } });
      });
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

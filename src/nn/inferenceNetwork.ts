// Towers for inference, built from operations without their chain rules, so that a page that only embeds downloads no
// training code.
import { plainDense } from "../ops/dense.ts";
import { inferenceBlock } from "../ops/fused/inferenceBlock.ts";
import type { Network } from "./network.ts";
import type { NetworkOptions } from "./networkOptions.ts";
import { type Layers, needsRareLayers, tower } from "./towers.ts";

/** The layers of the article's network; rarer layers are loaded on demand. */
const layers: Layers = { block: inferenceBlock, dense: plainDense };

export async function inferenceNetwork(options: Required<NetworkOptions>): Promise<Pick<Network, "options" | "tower">> {
  const used = needsRareLayers(options) ? (await import("./rareLayers.ts")).withRareLayers(layers) : layers;
  return { options, tower: (tape, images, mode) => tower(tape, images, options, mode, used) };
}

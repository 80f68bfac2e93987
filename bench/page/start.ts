// Measures the time from a fresh page to the first finished step, as a visitor experiences it.
import { adam, siamese, Trainer } from "../../src/index.ts";
import { adamOptions, batchOf, type Configuration, l2 } from "../configurations.ts";
import type { Account } from "./count.ts";
import { open } from "./ours.ts";

export interface Start {
  /** Milliseconds from `openDevice` to the first step's loss: the sum of the parts below. */
  readonly milliseconds: number;
  readonly device: number;
  readonly compile: number;
  readonly step: number;
  /** The number of pipelines, the time from the first one's start to the last one's end, and the sum of their times. */
  readonly pipelines: number;
  readonly pipelinesWall: number;
  readonly pipelinesSum: number;
  /** The number of timed kernels. */
  readonly timed: number;
}

export async function start(c: Configuration, account: Account): Promise<Start> {
  const batch = batchOf(c);
  const bytes = (pixels: Float32Array) => Uint8Array.from(pixels, (v) => Math.round(v * 255));
  const pictures = { ...batch, left: bytes(batch.left), right: bytes(batch.right) };
  const { pairs: batchSize, image: imageSize, filters, embedding } = c;
  account.pipelines.length = 0;

  const begun = performance.now();
  const device = await open();
  const opened = performance.now();
  const network = siamese({ imageSize, filters, embedding, seed: 1 });
  const trainer = await Trainer.create(device, network, { batchSize, l2, optimizer: adam(adamOptions) });
  const compiled = performance.now();
  const { loss } = await trainer.step(pictures);
  const done = performance.now();

  if (!Number.isFinite(loss)) throw new Error(`The first step's loss is ${loss}.`);
  const { pipelines } = account;
  const { timed } = device.tuner;
  await trainer.dispose();
  device.dispose();
  return {
    milliseconds: done - begun,
    device: opened - begun,
    compile: compiled - opened,
    step: done - compiled,
    pipelines: pipelines.length,
    pipelinesWall: Math.max(...pipelines.map((p) => p.made)) - Math.min(...pipelines.map((p) => p.asked)),
    pipelinesSum: pipelines.reduce((sum, p) => sum + p.made - p.asked, 0),
    timed,
  };
}

// Which settings go with which optimizer, and the optimizer that a run has.
import { adam, adamW, type Optimizer, sgd } from "../../index.ts";
import { SettingsError } from "./settingsError.ts";
import type { PartialSettings, ResolvedSettings } from "./settingsSchema.ts";

export function checkOptimizer({ optimizer = "adam", momentum, weightDecay }: PartialSettings): void {
  if (momentum !== undefined && optimizer !== "sgd") {
    throw new SettingsError(`--momentum goes with --optimizer sgd, not ${optimizer}`);
  }
  if (weightDecay !== undefined && optimizer !== "adamw") {
    throw new SettingsError(`--weight-decay goes with --optimizer adamw, not ${optimizer}`);
  }
}

export function optimizerOf(settings: ResolvedSettings, learningRate: (step: number) => number): Optimizer {
  const { optimizer = "adam", clipNorm, momentum, weightDecay } = settings;
  if (optimizer === "sgd") return sgd({ learningRate, clipNorm, momentum });
  return optimizer === "adamw" ? adamW({ learningRate, clipNorm, weightDecay }) : adam({ learningRate, clipNorm });
}

// Validates the optimizer's settings, and creates the optimizer.
import { adam, adamW, type Optimizer, sgd } from "../../index.ts";
import { SettingsError } from "./settingsError.ts";
import type { PartialSettings, ResolvedSettings } from "./settingsSchema.ts";

export function checkOptimizer({ optimizer = "adam", momentum, weightDecay }: PartialSettings): void {
  if (momentum !== undefined && optimizer !== "sgd") {
    throw new SettingsError(`--momentum requires --optimizer sgd, not ${optimizer}`);
  }
  if (weightDecay !== undefined && optimizer !== "adamw") {
    throw new SettingsError(`--weight-decay requires --optimizer adamw, not ${optimizer}`);
  }
}

export function optimizerOf(settings: ResolvedSettings, learningRate: (step: number) => number): Optimizer {
  const { optimizer = "adam", clipNorm, momentum, weightDecay } = settings;
  if (optimizer === "sgd") return sgd({ learningRate, clipNorm, momentum });
  return optimizer === "adamw" ? adamW({ learningRate, clipNorm, weightDecay }) : adam({ learningRate, clipNorm });
}

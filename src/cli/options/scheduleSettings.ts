// Validates the schedule's settings, and computes the learning rates.
import { learningRateSchedule, type ScheduleOptions, TwingradError } from "../../index.ts";
import { SettingsError } from "./settingsError.ts";
import type { PartialSettings, ResolvedSettings } from "./settingsSchema.ts";

/** The settings of each schedule, besides the learning rate and warmup. */
const own = {
  constant: [],
  cosine: ["finalRate", "scheduleSteps"],
  step: ["decayEvery", "decayRate"],
} as const;

export function checkSchedule(given: PartialSettings): void {
  const { schedule = "constant" } = given;
  for (const [kind, names] of Object.entries(own)) {
    for (const name of names) {
      if (given[name] === undefined || kind === schedule) continue;
      const flag = name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
      throw new SettingsError(`--${flag} requires --schedule ${kind}, not ${schedule}`);
    }
  }
  if (schedule === "step" && given.decayEvery === undefined) {
    throw new SettingsError("--schedule step requires --decay-every, the steps between decays");
  }
}

/**
 * The settings with the length of a cosine schedule filled in: a resumed run keeps the original schedule, even if its number
 * of steps changes.
 * @param planned estimated steps of the run.
 */
export function planned(settings: ResolvedSettings, planned: number): ResolvedSettings {
  if (settings.schedule !== "cosine" || settings.scheduleSteps !== undefined) return settings;
  return { ...settings, scheduleSteps: planned };
}

/** @throws BAD_INPUT for an invalid schedule. */
export function ratesOf(settings: ResolvedSettings): (step: number) => number {
  const { learningRate, schedule: kind, warmUp, finalRate, decayEvery, decayRate, scheduleSteps: steps } = settings;
  return learningRateSchedule({
    learningRate,
    kind,
    warmUp,
    finalRate,
    decayEvery,
    decayRate,
    steps,
  } satisfies ScheduleOptions);
}

/** @throws BAD_INPUT if the learning rate of a resumed run has reached 0. */
export function checkRest(rates: (step: number) => number, next: number): void {
  if (rates(next) > 0) return;
  throw new TwingradError(
    "BAD_INPUT",
    `the learning rate of the run to resume is 0 from step ${next} on: its cosine schedule ended there, and more steps would change nothing (see --schedule-steps, --final-rate)`,
  );
}

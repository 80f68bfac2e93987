// Which settings go with which learning-rate schedule, and the rates that a run has.
import { learningRateSchedule, type ScheduleOptions, TwingradError } from "../../index.ts";
import { SettingsError } from "./settingsError.ts";
import type { PartialSettings, ResolvedSettings } from "./settingsSchema.ts";

/** What each schedule takes beside the rate and its warm-up. */
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
      throw new SettingsError(`--${flag} goes with --schedule ${kind}, not ${schedule}`);
    }
  }
  if (schedule === "step" && given.decayEvery === undefined) {
    throw new SettingsError("--schedule step needs --decay-every, the steps after which the rate shrinks");
  }
}

/**
 * The settings with the length of a cosine in them: a resumed run follows the one that was planned at the beginning, whatever
 * number of steps it is then given.
 * @param planned steps of the run, as far as is known.
 */
export function planned(settings: ResolvedSettings, planned: number): ResolvedSettings {
  if (settings.schedule !== "cosine" || settings.scheduleSteps !== undefined) return settings;
  return { ...settings, scheduleSteps: planned };
}

/** @throws BAD_INPUT for settings that make no schedule. */
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

/** @throws BAD_INPUT where a resumed run would make steps that change nothing. */
export function checkRest(rates: (step: number) => number, next: number): void {
  if (rates(next) > 0) return;
  throw new TwingradError(
    "BAD_INPUT",
    `the learning rate of the run to resume has fallen to 0 by step ${next}: more steps would change nothing; its cosine was planned to end there (--schedule-steps, --final-rate)`,
  );
}

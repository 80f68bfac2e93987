// The learning rate during training: a function of the step alone, so that a resumed run has the same rates as an
// uninterrupted one.
import { TwingradError } from "../errors.ts";
import { checkOptions, type Known } from "../options.ts";

export const scheduleKinds = ["constant", "cosine", "step"] as const;

/** Options of `learningRateSchedule`. */
export interface ScheduleOptions {
  /** The rate at the end of warmup and the start of decay. */
  readonly learningRate: number;
  /**
   * The form of the decay.
   * @default "constant"
   */
  readonly kind?: (typeof scheduleKinds)[number];
  /** Steps of warmup: the first `warmUp` steps n have the rate times n / warmUp (Goyal et al. 2017). @default 0 */
  readonly warmUp?: number;
  /** For `cosine`: the number of steps of the training, warmup included. */
  readonly steps?: number;
  /** For `cosine`: the rate after `steps`. @default 0 */
  readonly finalRate?: number;
  /** For `step`: the number of steps after warmup between decays. */
  readonly decayEvery?: number;
  /** For `step`: the factor of each decay. @default 0.1 */
  readonly decayRate?: number;
}

const scheduleOptions: Known<ScheduleOptions> = {
  learningRate: 1,
  kind: 1,
  warmUp: 1,
  steps: 1,
  finalRate: 1,
  decayEvery: 1,
  decayRate: 1,
};

/**
 * The rate of each step, counted from 1, for `adam({ learningRate })`. With t steps after warmup:
 * `cosine`: final + (rate - final) (1 + cos(pi t / (steps - warmUp))) / 2, without restarts (Loshchilov and Hutter
 * 2017);
 * `step`: rate decayRate^floor(t / decayEvery).
 * @throws BAD_INPUT for invalid numbers.
 * @example
 * ```ts
 * const learningRate = learningRateSchedule({ learningRate: 2e-3, kind: "cosine", steps: 600, warmUp: 50 });
 * const optimizer = adam({ learningRate });
 * ```
 */
export function learningRateSchedule(options: ScheduleOptions): (step: number) => number {
  checkOptions("learningRateSchedule", options, scheduleOptions);
  const { learningRate: rate, kind = "constant", warmUp = 0, finalRate = 0, decayRate = 0.1 } = options;
  const { steps = Number.NaN, decayEvery = Number.NaN } = options;
  const check = (holds: boolean, name: keyof ScheduleOptions, expected: string) => {
    if (holds) return;
    throw new TwingradError("BAD_INPUT", `learning rate: ${name} is ${options[name]}; expected ${expected}.`);
  };
  check(scheduleKinds.includes(kind), "kind", scheduleKinds.join(", "));
  check(rate > 0 && Number.isFinite(rate), "learningRate", "a number above 0");
  check(Number.isInteger(warmUp) && warmUp >= 0, "warmUp", "an integer of at least 0");
  const decay: Record<typeof kind, (after: number) => number> = {
    constant: () => rate,
    cosine: (after) => {
      const share = Math.min(1, after / (steps - warmUp));
      return finalRate + ((rate - finalRate) * (1 + Math.cos(Math.PI * share))) / 2;
    },
    step: (after) => rate * decayRate ** Math.floor(after / decayEvery),
  };
  if (kind === "cosine") {
    check(Number.isInteger(steps) && steps > warmUp, "steps", `an integer above the warmup steps, ${warmUp}`);
    check(finalRate >= 0 && finalRate <= rate, "finalRate", `0 to the learning rate, ${rate}`);
  }
  if (kind === "step") {
    check(Number.isInteger(decayEvery) && decayEvery > 0, "decayEvery", "an integer of at least 1");
    check(decayRate > 0 && decayRate <= 1, "decayRate", "a factor above 0, at most 1");
  }
  return (step) => (step <= warmUp ? rate * (step / warmUp) : decay[kind](step - 1 - warmUp));
}

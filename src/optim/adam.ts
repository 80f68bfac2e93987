import shader from "../../shaders/adam.step.wgsl";
import { TwingradError } from "../gpu/errors.ts";
import { vec4Threads } from "../tape/grid.ts";
import type { Optimizer } from "../tape/optimizer.ts";

export interface AdamOptions {
  /** 1e-3 by default; a function of the step, counted from 1, makes a schedule. */
  readonly learningRate?: number | ((step: number) => number);
  readonly beta1?: number;
  readonly beta2?: number;
  /** Added to the root of the corrected second moment; 1e-8 by default. */
  readonly epsilon?: number;
}

/** Adam (Kingma and Ba 2015, algorithm 1): one launch updates all parameters of an arena. */
export function adam(options: AdamOptions = {}): Optimizer {
  const { learningRate = 1e-3, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8 } = options;
  for (const [name, value] of Object.entries({ beta1, beta2 })) {
    if (!(value >= 0 && value < 1)) throw new TwingradError("BAD_INPUT", `adam: ${name} is ${value}; expected [0, 1).`);
  }
  return {
    name: "adam",
    record(tape, arena, schedule) {
      const { groups, constants } = vec4Threads(arena.elements);
      const bindings = {
        values: arena.values,
        gradients: arena.gradients,
        decay: arena.decay,
        first_moment: arena.state("first moment"),
        second_moment: arena.state("second moment"),
        schedule,
      };
      const rates = { BETA1: beta1, BETA2: beta2, ONE_MINUS_BETA1: 1 - beta1, ONE_MINUS_BETA2: 1 - beta2 };
      tape.launch(shader, bindings, { ...constants, ...rates, EPSILON: epsilon }, groups);
    },
    schedule(step) {
      const rate = typeof learningRate === "number" ? learningRate : learningRate(step);
      return [rate / (1 - beta1 ** step), 1 / Math.sqrt(1 - beta2 ** step), 0, 0];
    },
  };
}

import shader from "../../shaders/adam.step.wgsl";
import { TwingradError } from "../errors.ts";
import { vec4Threads } from "../tape/lowering/grid.ts";
import type { Optimizer } from "../tape/optimizer.ts";

export interface AdamOptions {
  /** 1e-3 by default; a function of the step, counted from 1, makes a schedule: see `learningRateSchedule`. */
  readonly learningRate?: number | ((step: number) => number);
  readonly beta1?: number;
  readonly beta2?: number;
  /** Added to the root of the corrected second moment; 1e-8 by default. */
  readonly epsilon?: number;
  /**
   * Clips the gradients by their global norm: where the norm of all together, those of the L2 penalties included, is
   * above this, all shrink by one factor to have it (Pascanu, Mikolov and Bengio 2013). No clipping by default.
   */
  readonly clipNorm?: number;
}

/** Adam (Kingma and Ba 2015, algorithm 1): one launch updates all parameters of an arena. */
export function adam(options: AdamOptions = {}): Optimizer {
  const { learningRate = 1e-3, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, clipNorm } = options;
  for (const [name, value] of Object.entries({ beta1, beta2 })) {
    if (!(value >= 0 && value < 1)) throw new TwingradError("BAD_INPUT", `adam: ${name} is ${value}; expected [0, 1).`);
  }
  if (clipNorm !== undefined && !(clipNorm > 0 && clipNorm < 3e38)) {
    throw new TwingradError("BAD_INPUT", `adam: clipNorm is ${clipNorm}; expected a number above 0.`);
  }
  return {
    name: "adam",
    clipNorm,
    record(to, arena, schedule) {
      const { groups, constants } = vec4Threads(arena.elements);
      const bindings = {
        values: arena.values,
        gradients: arena.gradients,
        blocks: arena.blocks,
        clip: arena.clip,
        fault: arena.fault,
        first_moment: arena.state("first moment"),
        second_moment: arena.state("second moment"),
        schedule,
      };
      const rates = { BETA1: beta1, BETA2: beta2, ONE_MINUS_BETA1: 1 - beta1, ONE_MINUS_BETA2: 1 - beta2 };
      to.launch(shader, bindings, { ...constants, ...rates, EPSILON: epsilon }, groups);
    },
    schedule(step) {
      const rate = typeof learningRate === "number" ? learningRate : learningRate(step);
      return [rate / (1 - beta1 ** step), 1 / Math.sqrt(1 - beta2 ** step)];
    },
  };
}

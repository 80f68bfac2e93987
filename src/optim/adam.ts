import shader from "../../shaders/adam.step.wgsl";
import { checkOptions, type Known } from "../options.ts";
import { vec4Threads } from "../tape/lowering/grid.ts";
import { training } from "../tape/lowering/update.ts";
import type { Optimizer } from "../tape/optimizer.ts";
import { check, checkClipNorm, type OptimizerOptions, optimizerOptions, rates } from "./options.ts";

/** Options of `adam`. */
export interface AdamOptions extends OptimizerOptions {
  /** Decay of the first moment. @default 0.9 */
  readonly beta1?: number;
  /** Decay of the second moment. @default 0.999 */
  readonly beta2?: number;
  /** Added to the root of the corrected second moment. @default 1e-8 */
  readonly epsilon?: number;
}

/** Options of `adamW`. */
export interface AdamWOptions extends AdamOptions {
  /**
   * Before an update, each parameter is multiplied by 1 - learning rate * weightDecay.
   * @default 1e-2
   */
  readonly weightDecay?: number;
}

const adamOptions: Known<AdamOptions> = { ...optimizerOptions, beta1: 1, beta2: 1, epsilon: 1 };
const adamWOptions: Known<AdamWOptions> = { ...adamOptions, weightDecay: 1 };

/**
 * Adam (Kingma and Ba 2015, algorithm 1): one launch updates all parameters of an arena.
 * @throws BAD_INPUT for a rate, beta or epsilon out of range.
 * @example
 * ```ts
 * const optimizer = adam({ learningRate: 1e-3, clipNorm: 1 });
 * ```
 */
export function adam(options: AdamOptions = {}): Optimizer {
  checkOptions("adam", options, adamOptions);
  return withMoments("adam", options, 0);
}

/**
 * Adam with decoupled weight decay (Loshchilov and Hutter 2019), as PyTorch defines it: before each update every
 * trained parameter, including biases and those of batch-norm, is multiplied by 1 - learning rate * weightDecay.
 * @throws BAD_INPUT as `adam`.
 * @example
 * ```ts
 * const optimizer = adamW({ learningRate: 1e-3, weightDecay: 1e-2 });
 * ```
 */
export function adamW(options: AdamWOptions = {}): Optimizer {
  checkOptions("adamW", options, adamWOptions);
  const { weightDecay = 1e-2 } = options;
  check("adamW", "weightDecay", weightDecay, 0, Number.POSITIVE_INFINITY);
  return withMoments("adamW", options, weightDecay);
}

function withMoments(name: string, options: AdamOptions, weightDecay: number): Optimizer {
  const { beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, clipNorm } = options;
  for (const [option, value] of Object.entries({ beta1, beta2 })) check(name, option, value);
  check(name, "epsilon", epsilon, 0, Number.POSITIVE_INFINITY);
  checkClipNorm(name, clipNorm);
  const rateOf = rates(name, options);
  const states = ["first moment", "second moment"];
  return {
    name,
    states,
    clipNorm,
    training,
    record(to, arena, schedule) {
      const { groups, constants } = vec4Threads(arena.elements);
      const bindings = {
        values: arena.values,
        gradients: arena.gradients,
        blocks: arena.blocks,
        clip: arena.clip,
        fault: arena.fault,
        first_moment: arena.state(states[0]),
        second_moment: arena.state(states[1]),
        schedule,
      };
      const factors = { BETA1: beta1, BETA2: beta2, ONE_MINUS_BETA1: 1 - beta1, ONE_MINUS_BETA2: 1 - beta2 };
      to.launch(shader, bindings, { ...constants, ...factors, EPSILON: epsilon }, groups);
    },
    schedule(step) {
      const rate = rateOf(step);
      return [rate / (1 - beta1 ** step), 1 / Math.sqrt(1 - beta2 ** step), rate * weightDecay];
    },
  };
}

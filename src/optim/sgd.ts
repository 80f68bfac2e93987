import shader from "../../shaders/sgd.step.wgsl";
import { TwingradError } from "../errors.ts";
import { checkOptions, type Known } from "../options.ts";
import { vec4Threads } from "../tape/lowering/grid.ts";
import { training } from "../tape/lowering/update.ts";
import type { Optimizer } from "../tape/optimizer.ts";
import { check, checkClipNorm, type OptimizerOptions, optimizerOptions, rates } from "./options.ts";

/** Options of `sgd`. */
export interface SgdOptions extends OptimizerOptions {
  /**
   * Share of the velocity that is kept; without momentum there is no state between steps.
   * @default 0
   */
  readonly momentum?: number;
  /** Nesterov's momentum. @default false */
  readonly nesterov?: boolean;
}

const sgdOptions: Known<SgdOptions> = { ...optimizerOptions, momentum: 1, nesterov: 1 };

/**
 * Stochastic gradient descent with momentum (Sutskever et al. 2013) in the form of PyTorch's `torch.optim.SGD` without
 * dampening: v = momentum v + g; w -= learning rate * v, with Nesterov's momentum learning rate * (g + momentum v).
 * @throws BAD_INPUT for a rate or momentum out of range.
 * @example
 * ```ts
 * const optimizer = sgd({ learningRate: 0.01, momentum: 0.9, nesterov: true });
 * ```
 */
export function sgd(options: SgdOptions = {}): Optimizer {
  checkOptions("sgd", options, sgdOptions);
  const { momentum = 0, nesterov = false, clipNorm } = options;
  check("sgd", "momentum", momentum);
  checkClipNorm("sgd", clipNorm);
  if (nesterov && momentum === 0) {
    throw new TwingradError("BAD_INPUT", "sgd: nesterov is true and momentum is 0; expected a momentum above 0.");
  }
  const rateOf = rates("sgd", options);
  const states = momentum > 0 ? ["velocity"] : [];
  return {
    name: momentum > 0 ? "sgd with momentum" : "sgd",
    states,
    clipNorm,
    training,
    record(to, arena, schedule) {
      const { groups, constants } = vec4Threads(arena.elements);
      const { values, gradients, blocks, clip, fault } = arena;
      // Without momentum the kernel never accesses the velocity, but the binding is required.
      const velocity = momentum > 0 ? arena.state(states[0]) : to.temporary("no velocity", [4]);
      const bindings = { values, gradients, blocks, clip, fault, velocity, schedule };
      to.launch(shader, bindings, { ...constants, MOMENTUM: momentum, NESTEROV: nesterov ? 1 : 0 }, groups);
    },
    schedule: (step) => [rateOf(step), 0],
  };
}

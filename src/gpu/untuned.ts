// What stands in a tuner's place on a device that was opened without tuning: rules decide, and nothing is timed. The tuner itself is
// loaded where it was asked for.
import type { AdapterInfo } from "./device.ts";
import type { Tuner } from "./tuner.ts";
import { tableOf } from "./tunerTable.ts";

/** All that a device offers of its tuner. */
export type DeviceTuner = Omit<Tuner, "open">;

export const untuned = (adapter: AdapterInfo): DeviceTuner => ({
  timed: 0,
  table: () => tableOf(adapter, new Map()),
  used: () => tableOf(adapter, new Map()),
  choice: () => undefined,
  refuses: () => false,
  unknown() {},
  tune: () => Promise.resolve(),
});

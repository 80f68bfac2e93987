// Replaces the tuner on a device that was opened without tuning: rules choose, nothing is timed. The tuner itself is
// loaded on demand.
import type { AdapterInfo } from "./device.ts";
import type { Tuner } from "./tuner.ts";
import { tableOf } from "./tunerTable.ts";

/** The part of the tuner that a device uses. */
export type DeviceTuner = Omit<Tuner, "open">;

export const untuned = (adapter: AdapterInfo): DeviceTuner => ({
  timed: 0,
  table: () => tableOf(adapter, new Map()),
  used: () => tableOf(adapter, new Map()),
  choice: () => undefined,
  refuses: () => false,
  adopt() {},
  unknown() {},
  tune: () => Promise.resolve(),
});

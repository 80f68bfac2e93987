// The settings of the next run.
import { effect, signal } from "@preact/signals";
import type { RunSettings } from "../../messages.ts";
import { keep, kept } from "../../page/kept.ts";
import { type NetworkName, networks, settingsFrom } from "./defaults.ts";

/** As the user has set them. */
export const settings = signal<RunSettings>(settingsFrom(kept("settings")));
effect(() => keep("settings", settings.value));

export function change(fields: Partial<RunSettings>): void {
  settings.value = { ...settings.value, ...fields };
}

export function networkOf({ filters, embedding }: RunSettings): NetworkName | undefined {
  const same = (name: NetworkName) =>
    networks[name].embedding === embedding && networks[name].filters.join() === filters.join();
  return (Object.keys(networks) as NetworkName[]).find(same);
}

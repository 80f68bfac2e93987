// The adapters of this machine: their limits and features, and the kernels that earlier tuning chose for them.
import { TwingradError } from "../../errors.ts";
import { type AdapterInfo, openDevice } from "../../gpu/device.ts";
import { type TuningTable, tableKey, version } from "../../gpu/tunerTable.ts";
import { fileTuningStore, tuningFolder } from "../files/tuning.ts";
import { loadPackage } from "../packages.ts";
import { thisMachine } from "./findAdapter.mjs";
import { openDawn } from "./openDawn.mjs";

export { version };

export interface AdapterReport extends AdapterInfo {
  readonly kind: "system" | "software";
  readonly features: string[];
  readonly limits: Record<string, number>;
  /** The fastest kernel of each timed choice, by the work; null before tuning. */
  readonly tuned: Readonly<Record<string, string>> | null;
  /** Kernels that are never used there, because they fail or differ from the portable kernel: where and why. */
  readonly refused: readonly { readonly key: string; readonly kernel: string; readonly why: string }[];
}

/** The system's adapter and the software adapter, as far as they exist, and the reason for each one that is missing. */
export async function adapterReports(): Promise<{ adapters: AdapterReport[]; tried: string[]; tuning: string }> {
  const adapters: AdapterReport[] = [];
  const missing = new Set<string>();
  for (const kind of ["system", "software"] as const) {
    const { gpu, tried } = await loadPackage("webgpu", "A device in Node", () => openDawn(thisMachine(), kind));
    const adapter = await gpu?.requestAdapter({ powerPreference: "high-performance" });
    if (!gpu || !adapter) {
      for (const reason of tried) missing.add(reason);
      continue;
    }
    const device = await openDevice({ gpu });
    const { vendor, architecture, description, software } = device.adapter;
    device.dispose();
    // On Windows and macOS the system's adapter may be the software adapter.
    const limits = Object.fromEntries(limitNames(adapter.limits).map((name) => [name, adapter.limits[name] as number]));
    const table = await tableFor(device.adapter);
    const choices = Object.entries(table?.choices ?? {});
    const tuned = table ? Object.fromEntries(choices.map(([key, { candidate }]) => [key, candidate])) : null;
    const refused = choices.flatMap(([key, choice]) =>
      Object.entries(choice.refused ?? {}).map(([kernel, why]) => ({ key, kernel, why })),
    );
    const features = [...adapter.features].sort();
    adapters.push({ kind, vendor, architecture, description, software, features, limits, tuned, refused });
  }
  return { adapters, tried: [...missing], tuning: tuningFolder() };
}

type LimitName = Exclude<keyof GPUSupportedLimits, "__brand">;

/** The limits are getters of the prototype. */
function limitNames(limits: GPUSupportedLimits): LimitName[] {
  const names: string[] = [];
  for (const name in limits) names.push(name);
  const found = names.length > 0 ? names : Object.getOwnPropertyNames(Object.getPrototypeOf(limits));
  return found.filter(
    (name) => typeof (limits as unknown as Record<string, unknown>)[name] === "number",
  ) as LimitName[];
}

/** An unreadable table counts as missing, as in training. */
async function tableFor(adapter: AdapterInfo): Promise<TuningTable | undefined> {
  try {
    return await fileTuningStore().load(tableKey(adapter));
  } catch (error) {
    if (error instanceof TwingradError) return undefined;
    throw error;
  }
}

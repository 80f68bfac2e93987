// Chooses among candidate kernels on this device: the measured fastest, else the one chosen by rule. The exact bits of
// results depend on the choice, so nothing is timed unless requested, and a choice never changes.

import { TwingradError } from "../errors.ts";
import type { Contest } from "./contest.ts";
import type { Device } from "./device.ts";
import {
  type Choice,
  isProven,
  mismatch,
  nameOf,
  type TuningStore,
  type TuningTable,
  tableKey,
  tableOf,
} from "./tunerTable.ts";
import { timeContest } from "./tunerTiming.ts";

/** Options of tuning, which times equivalent kernels on this adapter and uses the fastest. */
export interface TuningOptions {
  /** Stores the results for the next start; without a store they are kept as long as the device. */
  readonly store?: TuningStore;
  /** False: use the stored results, and time nothing. @default true */
  readonly time?: boolean;
  /** The most milliseconds of timing when a program is compiled. @default 60000 */
  readonly budget?: number;
  /** Called with one line for each problem; none of them is fatal. @default console.warn */
  readonly warn?: (text: string) => void;
  /** Called once before timing starts, with the number of open choices. */
  readonly onTiming?: (open: number) => void;
}

const defaultBudget = 60_000;

export class Tuner {
  /** Number of candidates timed so far on this device. */
  timed = 0;
  private readonly device: Device;
  private options?: TuningOptions;
  private readonly choices = new Map<string, Choice>();
  private readonly asked = new Set<string>();
  /** Keys left to the rules for the life of the device: their timing failed or the budget was spent. */
  private readonly byRule = new Set<string>();
  /** Set while `tune` records: unknown keys are added to it. */
  private collecting?: { readonly contests: Map<string, Contest>; asked: number };
  private working: Promise<void> = Promise.resolve();

  constructor(device: Device) {
    this.device = device;
  }

  /** Enables timing in `tune`. Loads the stored results for this adapter and these kernels. */
  async open(options: TuningOptions): Promise<void> {
    this.options = options;
    const { store } = options;
    if (!store) return;
    const table = await this.attempt("read", () => store.load(tableKey(this.device.adapter)));
    if (!table) return;
    this.take(table, "Ignored the stored tuning table");
  }

  /** Replaces the results by those of another process, so that both compute the same bits. */
  adopt(table: TuningTable): void {
    this.take(table, `Rank 0's choice of kernels is not used on ${nameOf(this.device.adapter)}`);
  }

  private take(table: TuningTable, ignored: string): void {
    const wrong = mismatch(table, this.device.adapter);
    if (wrong) {
      this.warn(`${ignored}: it is ${wrong}.`);
      return;
    }
    this.choices.clear();
    for (const [key, choice] of Object.entries(table.choices)) this.choices.set(key, choice);
  }

  /** The results so far, with their times. */
  table(): TuningTable {
    return tableOf(this.device.adapter, this.choices);
  }

  /** The part of `table` used so far, without the times: the bits of the programs compiled so far depend on it. */
  used(): TuningTable {
    const used = [...this.choices].filter(([key]) => this.asked.has(key));
    const untimed = ({ microseconds, ...choice }: Choice): Choice => ({
      ...choice,
      microseconds: Object.fromEntries(Object.keys(microseconds).map((name) => [name, null])),
    });
    return tableOf(this.device.adapter, new Map(used.map(([key, choice]) => [key, untimed(choice)])));
  }

  /**
   * The candidate to use; undefined if there is no result, or the result covers other candidates. A candidate that was
   * not compared with the portable kernel, or differed from it, is never used, whatever a table says.
   */
  choice(key: string, candidates: readonly string[], portable: string): string | undefined {
    if (!this.collecting) this.asked.add(key); // the tape that `tune` records is discarded
    const found = this.choices.get(key);
    if (!found) return undefined;
    const tried = Object.keys(found.microseconds);
    if (tried.length !== candidates.length || !candidates.every((c) => tried.includes(c))) return undefined;
    // The portable kernel is correct by definition, and is used if all others are refused.
    if (found.candidate === portable) return portable;
    return candidates.includes(found.candidate) && isProven(found) ? found.candidate : undefined;
  }

  /** Whether that candidate gave incorrect results, or does not run. */
  refuses(key: string, candidate: string): boolean {
    return this.choices.get(key)?.refused?.[candidate] !== undefined;
  }

  /** Called for a key without a result; `capture` returns the launches of each candidate. */
  unknown(key: string, byRule: string, capture: () => Omit<Contest, "key" | "byRule">): void {
    const { collecting } = this;
    if (!collecting || this.byRule.has(key)) return;
    const before = ++collecting.asked;
    if (collecting.contests.has(key)) return;
    const captured = capture();
    // A candidate with open choices of its own is timed once those are decided.
    if (collecting.asked === before) collecting.contests.set(key, { key, byRule, ...captured });
  }

  /**
   * Calls `record`, which records on a temporary tape, and times the candidates of every open choice until none is
   * left. Does nothing unless the device was opened with tuning.
   */
  tune(record: () => void): Promise<void> {
    if (!this.options || this.options.time === false) return Promise.resolve();
    // One after the other: timings must not disturb each other, and the second call may find its choices already
    // decided.
    const work = this.working.then(() => this.settle(record));
    this.working = work.catch(() => {});
    return work;
  }

  private async settle(record: () => void): Promise<void> {
    const { budget = defaultBudget, onTiming } = this.options!;
    const deadline = performance.now() + budget;
    let contests = this.collect(record);
    if (contests.length === 0) return;
    onTiming?.(contests.length);
    const before = this.choices.size;
    let left = 0;
    while (contests.length > 0) {
      for (const contest of contests) {
        const late = performance.now() >= deadline;
        if (late) left++;
        const found = late ? undefined : await this.time(contest);
        if (found) this.choices.set(contest.key, found);
        else this.byRule.add(contest.key);
      }
      contests = this.collect(record);
    }
    if (left > 0) {
      this.warn(
        `Tuning stopped after ${budget / 1000} s with ${left} ${left === 1 ? "choice" : "choices"} open; rules decide them until the next start.`,
      );
    }
    if (this.choices.size > before) await this.save();
  }

  private collect(record: () => void): Contest[] {
    this.collecting = { contests: new Map(), asked: 0 };
    try {
      record();
      return [...this.collecting.contests.values()];
    } finally {
      this.collecting = undefined;
    }
  }

  private async time(contest: Contest): Promise<Choice | undefined> {
    this.timed += contest.candidates.size;
    try {
      const choice = await timeContest(this.device, contest);
      for (const [name, why] of Object.entries(choice.refused ?? {})) {
        this.warn(
          `The kernel "${name}" is not used on ${nameOf(this.device.adapter)} for ${contest.key}: ${why}. Please report this.`,
        );
      }
      return choice;
    } catch (error) {
      if (error instanceof TwingradError && error.code === "DEVICE_LOST") throw error;
      this.warn(`${contest.key} could not be timed: ${(error as Error).message}`);
      return undefined;
    }
  }

  /** Merges with the stored table: another process may have tuned other shapes meanwhile. */
  private async save(): Promise<void> {
    const { store } = this.options!;
    if (!store) return;
    const key = tableKey(this.device.adapter);
    await this.attempt("write", async () => {
      const kept = await store.load(key).catch(() => undefined);
      const choices = kept && !mismatch(kept, this.device.adapter) ? kept.choices : {};
      const table = this.table();
      await store.save(key, { ...table, choices: { ...choices, ...table.choices } });
    });
  }

  private async attempt<T>(what: string, work: () => Promise<T>): Promise<T | undefined> {
    try {
      return await work();
    } catch (error) {
      this.warn(`The tuning table could not be ${what === "read" ? "read" : "written"}: ${(error as Error).message}`);
      return undefined;
    }
  }

  private warn(text: string): void {
    (this.options?.warn ?? console.warn)(text);
  }
}

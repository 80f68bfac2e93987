// Which of several ways to compute one thing is taken on this device: what was found faster, else what the rules of
// thumb say. Bits depend on it, so nothing is timed unless asked for, and a choice once made stays.

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

/** Timing the kernels that compute the same on this adapter, to take the fastest. */
export interface TuningOptions {
  /** Keeps what was found for the next start; without one it lasts as long as the device. */
  readonly store?: TuningStore;
  /** False: take from the store what it has, time nothing. @default true */
  readonly time?: boolean;
  /** Milliseconds that timing may take each time that a program is compiled. @default 20000 */
  readonly budget?: number;
  /** Is told, in one line each, what went wrong; nothing of it is fatal. @default console.warn */
  readonly warn?: (text: string) => void;
  /** Is told once before anything is timed, with how many choices are open. */
  readonly onTiming?: (open: number) => void;
}

const defaultBudget = 60_000;

export class Tuner {
  /** Candidates timed so far on this device. */
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

  /** From now on `tune` times what it does not know. Loads what the store has for this adapter and these kernels. */
  async open(options: TuningOptions): Promise<void> {
    this.options = options;
    const { store } = options;
    if (!store) return;
    const table = await this.attempt("read", () => store.load(tableKey(this.device.adapter)));
    if (!table) return;
    const wrong = mismatch(table, this.device.adapter);
    if (wrong) this.warn(`The tuning table that was kept is ${wrong}; it is ignored.`);
    else for (const [key, choice] of Object.entries(table.choices)) this.choices.set(key, choice);
  }

  /** What was found so far, with the times that it was found by. */
  table(): TuningTable {
    return tableOf(this.device.adapter, this.choices);
  }

  /** Of `table` what was asked for so far, without the times: what the bits of the programs made so far depend on. */
  used(): TuningTable {
    const used = [...this.choices].filter(([key]) => this.asked.has(key));
    const untimed = ({ microseconds, ...choice }: Choice): Choice => ({
      ...choice,
      microseconds: Object.fromEntries(Object.keys(microseconds).map((name) => [name, null])),
    });
    return tableOf(this.device.adapter, new Map(used.map(([key, choice]) => [key, untimed(choice)])));
  }

  /**
   * The candidate to take; undefined where nothing is known, or was found among other candidates than these. One that was not
   * compared with the portable kernel, or did not agree with it, is not taken, whatever a table says.
   */
  choice(key: string, candidates: readonly string[], portable: string): string | undefined {
    if (!this.collecting) this.asked.add(key); // what `tune` records is thrown away
    const found = this.choices.get(key);
    if (!found) return undefined;
    const tried = Object.keys(found.microseconds);
    if (tried.length !== candidates.length || !candidates.every((c) => tried.includes(c))) return undefined;
    // The portable one is right by definition, and taken where all others are refused.
    if (found.candidate === portable) return portable;
    return candidates.includes(found.candidate) && isProven(found) ? found.candidate : undefined;
  }

  /** Whether that candidate was found to be wrong, or not to run. */
  refuses(key: string, candidate: string): boolean {
    return this.choices.get(key)?.refused?.[candidate] !== undefined;
  }

  /** Asked for a key without a known choice; `capture` gives what each of its candidates would launch. */
  unknown(key: string, byRule: string, capture: () => Omit<Contest, "key" | "byRule">): void {
    const { collecting } = this;
    if (!collecting || this.byRule.has(key)) return;
    const before = ++collecting.asked;
    if (collecting.contests.has(key)) return;
    const captured = capture();
    // A candidate with open choices of its own is timed once those are made.
    if (collecting.asked === before) collecting.contests.set(key, { key, byRule, ...captured });
  }

  /**
   * Calls `record`, which records on a tape that is then thrown away, and times the candidates of every choice that it
   * finds open, until none is. Does nothing unless the device was opened with tuning.
   */
  tune(record: () => void): Promise<void> {
    if (!this.options || this.options.time === false) return Promise.resolve();
    // One after the other: timings must not disturb each other, and the second may find all its choices made.
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
        `Tuning stopped after ${budget / 1000} s with ${left} ${left === 1 ? "choice" : "choices"} left, which the rules decide until the next start.`,
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
          `The kernel "${name}" is not taken on ${nameOf(this.device.adapter)} for ${contest.key}: ${why}. Please report this.`,
        );
      }
      return choice;
    } catch (error) {
      if (error instanceof TwingradError && error.code === "DEVICE_LOST") throw error;
      this.warn(`${contest.key} could not be timed: ${(error as Error).message}`);
      return undefined;
    }
  }

  /** Adds to what is stored: another process may have tuned for other shapes meanwhile. */
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

// Smooths the flicker of per-frame answers: shows what most of the last few frames agree on.
import type { Recognized } from "../../messages.ts";

export type Answer = Recognized | "refused" | "no face";

/** The number of recent frames, and how many of them must agree. */
const window = 5;
const agreeing = 3;

const verdict = (answer: Answer) => (typeof answer === "string" ? answer : `name ${answer.name}`);

/** Keeps the last answers; returns the newest of the majority, or the one shown before. */
export class Steady {
  private last: Answer[] = [];
  private shown: Answer | null = null;

  add(answer: Answer): Answer {
    this.last = [...this.last, answer].slice(-window);
    const same = this.last.filter((one) => verdict(one) === verdict(answer)).length;
    const settled = this.shown === null || same >= agreeing || verdict(this.shown) === verdict(answer);
    if (settled) this.shown = answer;
    return this.shown!;
  }
}

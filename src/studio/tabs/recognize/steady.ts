// Frame by frame an answer flickers: what is shown is what most of the last few frames say.
import type { Recognized } from "../../messages.ts";

export type Answer = Recognized | "refused" | "no face";

/** Frames that are looked back at, and how many of them must agree. */
const window = 5;
const agreeing = 3;

const verdict = (answer: Answer) => (typeof answer === "string" ? answer : `name ${answer.name}`);

/** Keeps the last answers; gives the newest one of the verdict that most of them share, or what was shown before. */
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

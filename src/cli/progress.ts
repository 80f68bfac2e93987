// Progress on standard error: a bar on a terminal, occasional plain lines elsewhere.
import { Presets, SingleBar } from "cli-progress";
import { isQuiet } from "./outcome.ts";

const secondsBetweenLines = 5;

export class Progress {
  readonly #bar?: SingleBar;
  readonly #started = performance.now();
  #lastLine = performance.now();

  /**
   * @param total estimated number of steps.
   * @param done steps of an earlier run.
   * @param unit what is counted. @default "step"
   */
  constructor(
    private total: number,
    private readonly done: number,
    private readonly unit = "step",
    private readonly more: (perSecond: number) => string = () => "",
  ) {
    if (!process.stderr.isTTY || isQuiet()) return;
    this.#bar = new SingleBar(
      {
        format: `{bar} {value}/{total} ${unit}s{loss}  {rate} ${unit}s/s{more}  {left} left`,
        stream: process.stderr,
        hideCursor: true,
        gracefulExit: false, // it would handle Ctrl-C itself, and continue
      },
      Presets.shades_classic,
    );
    this.#bar.start(total, done, { loss: "", rate: "-", more: "", left: "-" });
  }

  update(step: number, loss?: number): void {
    this.total = Math.max(this.total, step);
    const now = performance.now();
    const perSecond = (step - this.done) / ((now - this.#started) / 1000);
    const figures = {
      loss: loss === undefined ? "" : `  loss ${loss.toFixed(4)}`,
      rate: perSecond.toFixed(perSecond < 10 ? 2 : 0),
      more: this.more(perSecond),
      left: duration((this.total - step) / perSecond),
    };
    if (this.#bar) {
      this.#bar.setTotal(this.total);
      this.#bar.update(step, figures);
    } else if (
      !isQuiet() &&
      (now - this.#lastLine > secondsBetweenLines * 1000 || (loss !== undefined && step === this.total))
    ) {
      this.#lastLine = now;
      const { unit, total } = this;
      const { loss: shown, rate, more, left } = figures;
      process.stderr.write(`${unit} ${step}/${total}${shown}  ${rate} ${unit}s/s${more}  ${left} left\n`);
    }
  }

  /** Writes lines above the bar. */
  above(write: () => void): void {
    if (this.#bar) process.stderr.write("\r\x1b[K");
    write();
  }

  /** Removes the bar, so that other lines can follow. */
  stop(): void {
    this.#bar?.stop();
  }
}

function duration(seconds: number): string {
  const whole = Math.round(seconds);
  return whole < 60 ? `${whole} s` : `${Math.floor(whole / 60)} min ${whole % 60} s`;
}

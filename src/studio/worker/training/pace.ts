// The speed of a run without evaluations and checkpoints, and the estimated time left.

/** The speed is averaged over about the last so many seconds. */
const window = 5;

export class Pace {
  private readonly settledAt: number[] = [];
  private stopped = 0;
  private step = 0;

  constructor(private readonly steps: number) {}

  settled(step: number): void {
    this.step = step;
    const now = performance.now() - this.stopped;
    this.settledAt.push(now);
    while (this.settledAt.length > 2 && now - this.settledAt[0] > window * 1000) this.settledAt.shift();
  }

  /** Stops the clock until the returned function is called. */
  pause(): () => void {
    const since = performance.now();
    return () => {
      this.stopped += performance.now() - since;
    };
  }

  figures(): { stepsPerSecond: number | null; secondsLeft: number | null } {
    const { settledAt } = this;
    const seconds = (settledAt[settledAt.length - 1] - settledAt[0]) / 1000;
    if (!(seconds > 0)) return { stepsPerSecond: null, secondsLeft: null };
    const stepsPerSecond = (settledAt.length - 1) / seconds;
    return { stepsPerSecond, secondsLeft: (this.steps - this.step) / stepsPerSecond };
  }
}

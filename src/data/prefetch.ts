// Runs ahead of a consumer by a bounded number of results: the next ones are in progress while one is in use.

/** A bounded queue of results in progress. */
export class Prefetch<T> {
  readonly #next: () => Promise<T>;
  readonly #ahead: number;
  #queued: Promise<T>[] = [];

  /**
   * @param next begins the next result. Called while fewer than `ahead` results are queued, and for the one being
   * awaited.
   */
  constructor(next: () => Promise<T>, ahead: number) {
    this.#next = next;
    this.#ahead = ahead;
  }

  /** The next result in order. A failure is reported when its result is taken. */
  take(): Promise<T> {
    this.#fill(this.#ahead + 1);
    return this.#queued.shift()!;
  }

  /** Begins the first results before one is taken. */
  begin(): void {
    this.#fill(this.#ahead);
  }

  #fill(count: number): void {
    while (this.#queued.length < count) {
      const result = this.#next();
      // A failure is reported by take(), so it must not count as an unhandled rejection before.
      result.catch(() => undefined);
      this.#queued.push(result);
    }
  }

  /** Discards the queued results. */
  drop(): void {
    this.#queued = [];
  }
}

// Works ahead of a consumer by a bounded number of results: the next ones are under way while one is in use.

/** What works ahead, whether in pairs, triplets or anything else. */
export class Prefetch<T> {
  readonly #next: () => Promise<T>;
  readonly #ahead: number;
  #waiting: Promise<T>[] = [];

  /** @param next begins the next result. Called only while fewer than `ahead` results wait to be taken, and for the one that is asked for. */
  constructor(next: () => Promise<T>, ahead: number) {
    this.#next = next;
    this.#ahead = ahead;
  }

  /** The next result in order. A failure is reported when its turn comes. */
  take(): Promise<T> {
    this.#fill(this.#ahead + 1);
    return this.#waiting.shift()!;
  }

  /** Begins the first results before one is asked for. */
  begin(): void {
    this.#fill(this.#ahead);
  }

  #fill(count: number): void {
    while (this.#waiting.length < count) {
      const result = this.#next();
      // Until its turn comes a failure is not an unhandled one.
      result.catch(() => undefined);
      this.#waiting.push(result);
    }
  }

  /** Forgets the results that wait. */
  drop(): void {
    this.#waiting = [];
  }
}

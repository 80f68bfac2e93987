// Reads a stream of chunks of any size by exact byte counts. Memory is allocated only for bytes that have arrived, so
// an invalid length costs nothing.

export class ByteStream {
  readonly #source: AsyncIterator<Uint8Array>;
  #chunks: Uint8Array[] = [];
  /** Bytes that have arrived but not been taken. */
  held = 0;
  /** Bytes taken or skipped so far. */
  position = 0;

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#source = source[Symbol.asyncIterator]();
  }

  /** Waits until `count` bytes are buffered; false where the stream ends earlier. */
  async fill(count: number): Promise<boolean> {
    while (this.held < count) if (!(await this.#pull())) return false;
    return true;
  }

  /** The next `count` bytes, which must be buffered: a view of the chunk where they lie in a single one. */
  take(count: number): Uint8Array {
    const [first] = this.#chunks;
    if (first !== undefined && first.length > count) {
      this.#chunks[0] = first.subarray(count);
      this.#advance(count);
      return first.subarray(0, count);
    }
    const taken = this.#chunks.length > 0 && first.length === count ? first : new Uint8Array(count);
    let filled = 0;
    while (filled < count) {
      const chunk = this.#chunks[0];
      const part = Math.min(chunk.length, count - filled);
      if (taken !== chunk) taken.set(chunk.subarray(0, part), filled);
      if (part === chunk.length) this.#chunks.shift();
      else this.#chunks[0] = chunk.subarray(part);
      filled += part;
    }
    this.#advance(count);
    return taken;
  }

  /** Skips `count` bytes without buffering them; returns how many there were. */
  async skip(count: number): Promise<number> {
    let skipped = 0;
    while (skipped < count && (this.held > 0 || (await this.#pull()))) {
      const part = Math.min(this.#chunks[0].length, count - skipped);
      this.take(part);
      skipped += part;
    }
    return skipped;
  }

  /** Lets the source release its resources (an open file). */
  async close(): Promise<void> {
    this.#chunks = [];
    await this.#source.return?.();
  }

  async #pull(): Promise<boolean> {
    const { done, value } = await this.#source.next();
    if (done) return false;
    if (value.length > 0) {
      this.#chunks.push(value);
      this.held += value.length;
    }
    return true;
  }

  #advance(count: number): void {
    this.held -= count;
    this.position += count;
  }
}

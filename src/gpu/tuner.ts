// Which of several ways to compute one thing is taken on this device: what was found faster before, else what the rules
// of thumb say. Bits depend on it, so a choice stays for the life of the device.

/** The name of the candidate taken, by what there was to choose: `conv2d.forward 8x28x28x64 ...`. */
export type Choices = Readonly<Record<string, string>>;

export class Tuner {
  private readonly choices = new Map<string, string>();

  /** From now on `key` is computed by the candidate of that name, where it is still one. */
  set(key: string, candidate: string): void {
    this.choices.set(key, candidate);
  }

  get(key: string): string | undefined {
    return this.choices.get(key);
  }

  /** All choices so far, in the order of their keys. */
  table(): Choices {
    return Object.fromEntries([...this.choices].sort(([a], [b]) => (a < b ? -1 : 1)));
  }
}

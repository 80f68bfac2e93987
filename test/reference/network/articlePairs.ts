// The article's input pipeline as it is written there, over generators: two shuffled passes over the pictures, mapped
// through a decoder, zipped, filtered by kind, repeated. And, for data of a few pictures, every order that a shuffle
// buffer can make with its probability, so that what the pipeline yields is known exactly.

/** tf.data's shuffle: the buffer is filled; a random element leaves and the next of the input takes its place. */
export function* shuffle<T>(source: Iterator<T>, buffer: number, random: () => number): Generator<T, void> {
  const held: T[] = [];
  for (;;) {
    while (held.length < buffer) {
      const { done, value } = source.next();
      if (done) break;
      held.push(value);
    }
    if (held.length === 0) return;
    yield held.splice(Math.floor(random() * held.length), 1)[0];
  }
}

function* map<A, B>(source: Iterable<A>, f: (a: A) => B): Generator<B, void> {
  for (const value of source) yield f(value);
}

function* zip<A, B>(a: Iterator<A>, b: Iterator<B>): Generator<[A, B], void> {
  for (;;) {
    const [first, second] = [a.next(), b.next()];
    if (first.done || second.done) return;
    yield [first.value, second.value];
  }
}

function* filter<T>(source: Iterable<T>, keep: (value: T) => boolean): Generator<T, void> {
  for (const value of source) if (keep(value)) yield value;
}

function* repeat<T>(source: () => Iterable<T>): Generator<T, never> {
  for (;;) yield* source();
}

export interface ArticleOptions {
  sameProbability: number;
  differentProbability: number;
  shuffleBuffer: number;
  /** Uniform in [0, 1). */
  random: () => number;
}

/** Pairs in the article's order of work: `decode` sees every candidate, kept or not. */
export function articlePairs<T>(
  labels: readonly number[],
  decode: (index: number) => T,
  { sameProbability, differentProbability, shuffleBuffer, random }: ArticleOptions,
): Generator<[{ label: number; picture: T }, { label: number; picture: T }], never> {
  const decoded = (index: number) => ({ label: labels[index], picture: decode(index) });
  const pass = () => map(shuffle(labels.keys(), shuffleBuffer, random), decoded);
  return repeat(() =>
    filter(zip(pass(), pass()), ([left, right]) => {
      return random() < (left.label === right.label ? sameProbability : differentProbability);
    }),
  );
}

/** Every order that a shuffle buffer can give 0..count-1, with its probability. */
export function shuffledOrders(count: number, buffer: number): { order: number[]; probability: number }[] {
  const orders: { order: number[]; probability: number }[] = [];
  const go = (order: number[], held: number[], next: number, probability: number) => {
    while (held.length < buffer && next < count) held = [...held, next++];
    if (held.length === 0) orders.push({ order, probability });
    for (const element of held) {
      const others = held.filter((other) => other !== element);
      go([...order, element], others, next, probability / held.length);
    }
  };
  go([], [], 0, 1);
  return orders;
}

/**
 * The chance of each (left, right) to be the first pair that an epoch keeps, by left * count + right; and to keep none.
 */
export function firstKept(
  labels: readonly number[],
  { sameProbability, differentProbability, shuffleBuffer }: Omit<ArticleOptions, "random">,
): { pairs: Float64Array; none: number } {
  const count = labels.length;
  const pairs = new Float64Array(count * count);
  let none = 0;
  const orders = shuffledOrders(count, shuffleBuffer);
  for (const left of orders) {
    for (const right of orders) {
      let chance = left.probability * right.probability;
      for (let t = 0; t < count; t++) {
        const [a, b] = [left.order[t], right.order[t]];
        const keep = labels[a] === labels[b] ? sameProbability : differentProbability;
        pairs[a * count + b] += chance * keep;
        chance *= 1 - keep;
      }
      none += chance;
    }
  }
  return { pairs, none };
}

/** The mean number of genuine candidate pairs of an epoch. */
export function sameCandidates(labels: readonly number[], shuffleBuffer: number): number {
  const orders = shuffledOrders(labels.length, shuffleBuffer);
  let same = 0;
  for (const left of orders) {
    for (const right of orders) {
      const meetings = left.order.filter((a, t) => labels[a] === labels[right.order[t]]).length;
      same += left.probability * right.probability * meetings;
    }
  }
  return same;
}

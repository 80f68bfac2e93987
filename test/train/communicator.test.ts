import { describe, expect, it } from "vitest";
import { inProcessCommunicators } from "../../src/index.ts";
import { broadcast } from "../../src/train/distributed/communicator.ts";
import { expectSame } from "../../src/train/distributed/expectSame.ts";

const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
const bytes = (value: string) => new TextEncoder().encode(value);

describe("ranks of one process", () => {
  it("add in float64, in the order of ranks, and round once", async () => {
    const given = [2 ** 24, 1, 1, -(2 ** 24)]; // in float32 each 1 would be lost
    const values = given.map((value) => Float32Array.of(value, 1));
    await Promise.all(inProcessCommunicators(4).map((one, rank) => one.allReduce(values[rank])));
    expect(values.map((one) => [...one])).toEqual(Array(4).fill([2, 4]));
  });

  it("gather what differs in length, in the order of ranks, whoever comes first", async () => {
    const [first, second, third] = inProcessCommunicators(3);
    const late = new Promise((resolve) => setTimeout(resolve, 5)).then(() => first.allGather(bytes("zero")));
    const all = await Promise.all([late, third.allGather(bytes("")), second.allGather(bytes("one"))]);
    for (const found of all) expect(found.map(text)).toEqual(["zero", "one", ""]);
  });

  it("make several calls before the first has ended, and another group's in any order", async () => {
    const found = await Promise.all(
      inProcessCommunicators(2).map(async (one) => {
        const other = await one.duplicate();
        const work = [() => one.allGather(bytes(`a${one.rank}`)), () => other.allGather(bytes(`b${one.rank}`))];
        if (one.rank === 1) work.reverse();
        const results = await Promise.all([...work.map((call) => call()), one.allGather(bytes("last"))]);
        return results.map((gathered) => gathered.map(text).join()).sort();
      }),
    );
    expect(found).toEqual(Array(2).fill(["a0,a1", "b0,b1", "last,last"]));
  });

  it("are told of calls that differ, and of a rank that ended", async () => {
    const [a, b] = inProcessCommunicators(2);
    const differing = await Promise.allSettled([a.allReduce(new Float32Array(2)), b.allReduce(new Float32Array(3))]);
    for (const one of differing) expect(String((one as PromiseRejectedResult).reason)).toMatch(/2 values.*3 values/);
    const [c, d] = inProcessCommunicators(2);
    const waiting = c.allGather(bytes(""));
    d.abort("no more pictures");
    await expect(waiting).rejects.toThrow("Rank 1 of 2 ended the training: no more pictures");
    await expect(c.allGather(bytes(""))).rejects.toThrow("no more pictures");
  });

  it("get rank 0's bytes, and compare what they are told to do", async () => {
    const given = await Promise.all(inProcessCommunicators(2).map((one) => broadcast(one, bytes(`from ${one.rank}`))));
    expect(given.map(text)).toEqual(["from 0", "from 0"]);
    const same = inProcessCommunicators(3).map((one) => expectSame(one, { seed: 1, steps: one.rank === 2 ? 5 : 4 }));
    for (const one of await Promise.allSettled(same))
      expect(String((one as PromiseRejectedResult).reason)).toMatch(/steps is 4 on rank 0 and 5 on rank 2/);
  });
});

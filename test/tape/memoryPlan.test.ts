import fc from "fast-check";
import { expect, test } from "vitest";
import type { Access, Shader } from "../../src/gpu/shader.ts";
import type { Launch } from "../../src/tape/lower.ts";
import { planMemory, removeDead } from "../../src/tape/lowering/memoryPlan.ts";
import { Storage } from "../../src/tape/lowering/storage.ts";

/** A launch that reads and writes these storages; the planner uses nothing else. */
function launch(reads: Storage[], writes: Storage[]): Launch {
  const access = (storages: Storage[], kind: Access) => storages.map((s, i) => [`${kind}${i}`, s, kind] as const);
  const all = [...access(reads, "read"), ...access(writes, "read_write")];
  const bindings = Object.fromEntries(all.map(([name, , kind], binding) => [name, { binding, access: kind }]));
  const shader: Shader = { name: "test", code: "", bindings };
  const storages = Object.fromEntries(all.map(([name, storage]) => [name, storage]));
  return { shader, bindings: storages, constants: {}, tunables: {}, workgroups: [1, 1, 1], operation: "test" };
}

const temporary = (name: string, elements = 4) => new Storage("temporary", name, elements, "f32");

test("an unused launch is dropped, with the launches that only it needs", () => {
  const [x, a, b, c] = [new Storage("input", "x", 4, "f32"), temporary("a"), temporary("b"), temporary("c")];
  const toA = launch([x], [a]);
  const toB = launch([a], [b]);
  const toC = launch([x], [c]);
  expect(removeDead([toA, toB, toC], [c])).toEqual([toC]);
  expect(removeDead([toA, toB, toC], [b, c])).toEqual([toA, toB, toC]);
});

test("launches that change lasting state are kept, unless frozen", () => {
  const x = new Storage("input", "x", 4, "f32");
  const moving = new Storage("parameter", "moving", 4, "f32");
  moving.external = { buffer: {} as GPUBuffer, offset: 0 };
  const update = launch([x], [moving]);
  expect(removeDead([update], [])).toEqual([update]);
  expect(removeDead([update], [], true)).toEqual([]);
});

test("a slice of a needed whole is needed", () => {
  const whole = new Storage("buffer", "gradients", 64, "f32");
  const slice = temporary("gradient");
  slice.within = { whole, offset: 0 };
  const [x, values] = [new Storage("input", "x", 4, "f32"), new Storage("parameter", "values", 64, "f32")];
  values.external = { buffer: {} as GPUBuffer, offset: 0 };
  const launches = [launch([x], [slice]), launch([whole], [values])];
  expect(removeDead(launches, [])).toEqual(launches);
});

test("a chain of equal temporaries takes two buffers", () => {
  const chain = Array.from({ length: 6 }, (_, i) => temporary(`t${i}`, 256));
  const launches = chain.map((t, i) => launch(i === 0 ? [] : [chain[i - 1]], [t]));
  const plan = planMemory(launches, [chain[5]]);
  expect(plan.slots).toEqual([1024, 1024]);
  expect(plan.lowerBound).toBe(2048);
});

test("for any program: tenants of a slot are never alive together, each fits, and the lower bound holds", () => {
  const step = fc.record({
    elements: fc.integer({ min: 1, max: 1000 }),
    reads: fc.array(fc.nat(30), { maxLength: 3 }),
  });
  fc.assert(
    fc.property(fc.array(step, { minLength: 1, maxLength: 30 }), (steps) => {
      const made: Storage[] = [];
      const launches = steps.map(({ elements, reads }, i) => {
        const sources = i === 0 ? [] : [...new Set(reads.map((r) => made[r % i]))];
        made.push(temporary(`t${i}`, elements));
        return launch(sources, [made[i]]);
      });
      const last = made[made.length - 1];
      const plan = planMemory(launches, [last]);
      const life = (s: Storage) => {
        const at = launches.flatMap((l, i) => (Object.values(l.bindings).includes(s) ? [i] : []));
        return [at[0], s === last ? launches.length : at[at.length - 1]];
      };
      for (const a of made) {
        expect(plan.slots[plan.slotOf.get(a)!]).toBeGreaterThanOrEqual(a.bytes);
        for (const b of made) {
          if (a === b || plan.slotOf.get(a) !== plan.slotOf.get(b)) continue;
          const [[fromA, toA], [fromB, toB]] = [life(a), life(b)];
          expect(toA < fromB || toB < fromA).toBe(true);
        }
      }
      expect(plan.slots.reduce((x, y) => x + y, 0)).toBeGreaterThanOrEqual(plan.lowerBound);
    }),
  );
});

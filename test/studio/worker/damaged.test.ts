// What is rebuilt from damaged files: people from the list's readable part and from earlier lists.
import { expect, it } from "vitest";
import { defaultSettings } from "../../../src/studio/tabs/train/defaults.ts";
import { isPeople, type Person, peopleWithin, rebuilt } from "../../../src/studio/worker/data/people.ts";
import { isRun, type Run } from "../../../src/studio/worker/training/run.ts";

const person = (id: string, name: string, ...pictures: string[]): Person => {
  return { id, name, heldOut: false, pictures: pictures.map((id) => ({ id, name: `${id}.png` })) };
};
const [ada, bob] = [person("1", "Ada ]}", "a1", "a2"), person("2", "Bob", "b1")];
const file = JSON.stringify({ version: 1, people: [ada, bob] });

it("finds the people before the place where a list is cut", () => {
  expect(peopleWithin(file)).toEqual([ada, bob]);
  expect(peopleWithin(file.slice(0, -1))).toEqual([ada, bob]);
  expect(peopleWithin(file.slice(0, file.indexOf("b1")))).toEqual([ada]);
  expect(peopleWithin(file.replace('"Bob"', "\0\0\0"))).toEqual([ada]);
  expect(peopleWithin(file.slice(0, 30))).toEqual([]);
});

it("finds the valid people in a list of the wrong shape", () => {
  for (const text of ["", "null", "[]", "3", '"people"', "{}", '{"people":null}', '{"people":{"length":1}}']) {
    expect(peopleWithin(text), text).toEqual([]);
  }
  const half = { ...bob, pictures: [{ id: 7 }] };
  expect(peopleWithin(JSON.stringify({ people: [null, half, ada, "Bob"] }))).toEqual([ada]);
  expect(isPeople([ada, half])).toBe(false);
});

it("gives each stored picture to one person: the newest list counts", () => {
  const renamed = person("1", "Ada Lovelace", "a1");
  const earlier = [person("1", "Ada", "a1", "a2", "gone"), person("3", "Bob", "b1"), person("4", "Eve", "gone")];
  expect(rebuilt([[renamed, bob], earlier], ["a1", "a2", "b1", "x"])).toEqual({
    people: [person("1", "Ada Lovelace", "a1", "a2"), bob],
    rest: ["x"],
  });
  expect(rebuilt([[bob], [person("3", "Bob", "b2")]], ["b1", "b2"]).people).toEqual([person("2", "Bob", "b1", "b2")]);
  expect(rebuilt([], ["x"])).toEqual({ people: [], rest: ["x"] });
});

it("knows a run's file by its shape", () => {
  const run: Run = {
    version: 1,
    id: "r",
    name: "Run 1",
    created: 1,
    status: "trained",
    settings: defaultSettings,
    people: 4,
    heldOut: 2,
    pictures: 20,
    fingerprint: "f",
    adapter: "GPU",
    losses: [1, 0.5],
    evaluations: [{ step: 2, auc: 1, eer: 0 }],
    hasModel: true,
  };
  expect(isRun(JSON.parse(JSON.stringify(run)))).toBe(true);
  const { filters: _, ...incomplete } = defaultSettings;
  const damaged = [
    null,
    [],
    3,
    {},
    { ...run, status: "gone" },
    { ...run, losses: null },
    { ...run, losses: ["1"] },
    { ...run, evaluations: [{ step: 2, auc: null, eer: 0 }] },
    { ...run, settings: incomplete },
    { ...run, settings: { ...defaultSettings, loss: "none" } },
    { ...run, name: undefined },
  ];
  for (const value of damaged) expect(isRun(value), JSON.stringify(value)).toBe(false);
});

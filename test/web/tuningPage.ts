// The function that the test calls in a page: opens a network with the page's tuning store.
import { createStore, set } from "idb-keyval";
import { openDevice, siamese, Trainer } from "../../src/index.ts";
import { pageTuningStore } from "../../src/web/index.ts";

const database = "tuning test";

async function start() {
  const warnings: string[] = [];
  const store = pageTuningStore(database);
  const keys: string[] = [];
  const watched = {
    load(key: string) {
      keys.push(key);
      return store.load(key);
    },
    save: store.save,
  };
  const device = await openDevice({ tuning: { store: watched, warn: (text) => warnings.push(text) } });
  const network = siamese({ imageSize: [4, 4, 4], filters: [4], embedding: 4, seed: 3 });
  const trainer = await Trainer.create(device, network, { batchSize: 2 });
  const { choices } = device.tuner.table();
  const kept = Object.entries(choices).map(([key, { candidate }]) => [key, candidate]);
  const found = { timed: device.tuner.timed, choices: kept, warnings, key: keys[0] };
  await trainer.dispose();
  device.dispose();
  return found;
}

/** Replaces the table with something else. */
const spoil = (key: string, value: unknown) => set(key, value, createStore(database, "tables"));

declare global {
  var tuning: { start: typeof start; spoil: typeof spoil };
}
globalThis.tuning = { start, spoil };

// What two entries export under one name, compared, and the errors of each entry.
import * as core from "twingrad";
import * as exchange from "twingrad/exchange";
import * as internal from "twingrad/internal";
import * as node from "twingrad/node";
import * as web from "twingrad/web";

const entries: Record<string, object> = {
  twingrad: core,
  "twingrad/node": node,
  "twingrad/web": web,
  "twingrad/exchange": exchange,
  "twingrad/internal": internal,
};

/** Names that are exported twice, as "name: entry, entry". */
const same: string[] = [];
const different: string[] = [];
for (const [i, [first, a]] of Object.entries(entries).entries()) {
  for (const [second, b] of Object.entries(entries).slice(i + 1)) {
    for (const name of Object.keys(a).filter((name) => name in b)) {
      const one = Reflect.get(a, name) === Reflect.get(b, name);
      (one ? same : different).push(`${name}: ${first}, ${second}`);
    }
  }
}

const device = await node.openDevice();
device.gpu.destroy();
const broken = new Uint8Array(40).fill(7);
const thrown: Record<string, () => unknown> = {
  "twingrad ShapeError": () => core.tensor([2], [1]),
  "twingrad/node DeviceLostError": () => device.lost,
  "twingrad/node TwingradError": () => node.imageFolder("/nowhere"),
  "twingrad/web CorruptRecordError": () => web.tfrecords(new Blob([broken])),
  "twingrad/web TwingradError": () => new web.PageDecoder({ workers: 0 }),
  "twingrad/exchange WeightsError": () =>
    exchange.importWeights(Uint8Array.of(2, 0, 0, 0, 0, 0, 0, 0, 123, 125), { from: "pytorch" }),
  "twingrad/internal SafetensorsError": () =>
    (Reflect.get(internal, "decode") as (bytes: Uint8Array) => unknown)(broken),
};
const errors = await Promise.all(
  Object.entries(thrown).map(async ([what, work]) => {
    const error: unknown = await Promise.resolve()
      .then(work)
      .catch((error) => error);
    return { what, name: (error as Error).name, own: error instanceof core.TwingradError };
  }),
);
const classes = {
  DeviceLostError: await device.lost.catch((error) => error instanceof core.DeviceLostError),
  CorruptRecordError: await web
    .tfrecords(new Blob([broken]))
    .catch((error) => error instanceof node.CorruptRecordError),
};
console.log(JSON.stringify({ same, different, errors, classes }));

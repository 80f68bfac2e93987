// The smallest use of the core, in a runtime with WebGPU of its own.
import { conv2d, openDevice, sum, tensor, valueAndGradients } from "twingrad";

const device = await openDevice();
const x = tensor([1, 3, 3, 1], [1, 2, 3, 4, 5, 6, 7, 8, 9]);
const filter = tensor([2, 2, 1, 1], [1, 0, 0, -1]);
const { value, gradients } = await valueAndGradients(
  device,
  ({ x, filter }) => sum(conv2d(x, filter, { padding: "valid" })),
  { x, filter },
  { gradientsOf: ["x", "filter"] },
);
console.log(
  JSON.stringify({
    adapter: device.adapter.description || device.adapter.vendor,
    value: value.data[0],
    x: Array.from(gradients.x.data),
    filter: Array.from(gradients.filter.data),
  }),
);
device.dispose();

import fc from "fast-check";
import { centralDifference, conv2d, tensor, valueAndGradients } from "../../../../src/index.ts";
import { normal } from "../../../random.ts";
import { references } from "../../../reference/operations.ts";
import { checkOperation, toValue } from "../../operation.ts";
import { assert, assertClose, assertThrows, define, defineKernel, forAll } from "../../suite.ts";
import { deviceChoosing } from "../../variants.ts";

const odd = fc.constantFrom(1, 3, 5);
const channels = fc.integer({ min: 1, max: 21 });

defineKernel("centralDifference: random shapes and thetas", (device) =>
  forAll(fc.tuple(odd, odd, channels, channels, fc.constantFrom(0, 0.7, 1)), 8, ([U, V, I, O, theta]) =>
    checkOperation(device, "centralDifference", { filter: normal([U, V, I, O], 1) }, { theta }),
  ),
);

// 16 channels and more: Winograd's transform takes a filter that the step computes.
for (const algorithm of ["tiled", "winograd"]) {
  defineKernel(`centralDifference: before a convolution, ${algorithm}`, async (device) => {
    const [x, filter] = [normal([3, 8, 9, 16], 1), normal([3, 3, 16, 20], 2, { deviation: 0.1 })];
    const theta = 0.7;
    const computed = references.centralDifference.value({ filter }, { theta });
    const g = normal([3, 8, 9, 20], 3);
    const fromConvolution = references.conv2d.gradients({ x, filter: computed }, {}, g);
    const ofFilter = references.centralDifference.gradients({ filter }, { theta }, fromConvolution.filter);
    const found = await valueAndGradients(
      deviceChoosing(device, algorithm),
      (t) => conv2d(t.x, centralDifference(t.filter, theta)),
      { x: toValue(x), filter: toValue(filter) },
      { gradientsOf: ["x", "filter"], outputGradient: toValue(g) },
    );
    assertClose("value", found.value.data, references.conv2d.value({ x, filter: computed }, {}).data);
    assertClose("gradient of x", found.gradients.x.data, fromConvolution.x.data);
    assertClose("gradient of the filter", found.gradients.filter.data, ofFilter.filter.data);
  });
}

defineKernel("centralDifference: at theta 1 the response to a uniform picture is 0", async (device) => {
  const x = tensor([1, 5, 5, 3], new Float32Array(75).fill(0.6));
  const filter = toValue(normal([3, 3, 3, 8], 1));
  const options = { gradientsOf: [], outputGradient: tensor([1, 3, 3, 8], new Float32Array(72)) };
  const { value } = await valueAndGradients(
    device,
    (t) => conv2d(t.x, centralDifference(t.filter, 1), { padding: "valid" }),
    { x, filter },
    options,
  );
  assert(
    value.data.every((v) => Math.abs(v) < 1e-5),
    `there is ${Math.max(...value.data)}`,
  );
});

define("errors: a filter without a center is named", async (device) => {
  const filter = toValue(normal([2, 3, 1, 1], 1));
  const record = () => valueAndGradients(device, (t) => centralDifference(t.filter, 1), { filter }, {});
  await assertThrows("even", record, ["centralDifference", "[2, 3, 1, 1]", "odd"]);
});

// Models from and for other programs: `twingrad/exchange`, in any runtime.
export {
  exportOnnx,
  exportOnnxVerifier,
  type OnnxEmbedderOptions,
  type OnnxFile,
  type OnnxOptions,
  type OnnxValue,
} from "./onnx/exportOnnx.ts";
export { type ExportedWeights, exportWeights } from "./weights/exportWeights.ts";
export { type ImportedWeights, type ImportOptions, importWeights } from "./weights/importWeights.ts";
export { type Framework, frameworks } from "./weights/layouts.ts";
export { type Misfits, WeightsError, type WrongTensor } from "./weights/weightsError.ts";

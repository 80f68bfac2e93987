// Models from and for other programs: `twingrad/exchange`, in any runtime.
export { scorePairs } from "../recognition/evaluateModel.ts";
export {
  decodeEmbeddings,
  decodeNames,
  type EmbeddingFormat,
  embeddingFormat,
  encodeEmbeddings,
  encodeNames,
  projectorFiles,
} from "./embeddings/files.ts";
export { datasetOf, type EmbeddingTable, type RowNames, tableOf } from "./embeddings/table.ts";
export {
  metrics,
  type VectorMetric,
  type VectorOperatingPoint,
  type VectorOptions,
  vectorRecognizer,
} from "./embeddings/vectors.ts";
export {
  exportOnnx,
  exportOnnxVerifier,
  type OnnxEmbedderOptions,
  type OnnxFile,
  type OnnxOptions,
  type OnnxValue,
} from "./onnx/exportOnnx.ts";
export { type ExportedWeights, exportWeights, type WeightsOptions } from "./weights/exportWeights.ts";
export type { GivenNetwork, ImportOptions } from "./weights/importOptions.ts";
export { type ImportedWeights, importWeights } from "./weights/importWeights.ts";
export { type Framework, frameworks } from "./weights/layouts.ts";
export { type InvalidTensor, type Misfits, WeightsError, type WrongTensor } from "./weights/weightsError.ts";

// Models from and for other programs: `twingrad/exchange`, in any runtime.
export { type ExportedWeights, exportWeights } from "./weights/exportWeights.ts";
export { type ImportedWeights, type ImportOptions, importWeights } from "./weights/importWeights.ts";
export { type Framework, frameworks } from "./weights/layouts.ts";
export { type Misfits, WeightsError, type WrongTensor } from "./weights/weightsError.ts";

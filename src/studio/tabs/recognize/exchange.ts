// Models for other runtimes. The place for `twingrad/exchange`: a function here, and the button "Export ONNX" is there.

/** The embedder of a model file as an ONNX file. */
export const onnxOf: ((model: Uint8Array) => Promise<Uint8Array<ArrayBuffer>>) | null = null;

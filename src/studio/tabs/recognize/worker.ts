// The worker's part of the Recognize tab.
import type { Context, Handlers } from "../../worker/context.ts";
import { Recognition } from "./recognition.ts";

export function handlers(context: Context): Handlers<"recognize"> {
  const recognition = new Recognition(context);
  /** Shows an activity until the work is done. */
  const during = async <T>(text: string, work: () => Promise<T>): Promise<T> => {
    context.publisher.set("activity", { text });
    try {
      return await work();
    } finally {
      context.publisher.set("activity", null);
    }
  };
  return {
    "recognize.open": ({ model }) => during("Opening the model", () => recognition.open(model)),
    "recognize.enroll": (input) => during("Enrolling", () => recognition.enroll(input)),
    "recognize.identify": ({ picture, findFace }) => recognition.identify(picture, findFace),
    "recognize.forget": ({ name }) => recognition.forget(name),
    "recognize.exportModel": () => recognition.exportModel(),
    "recognize.exportOnnx": () => recognition.exportOnnx(),
    "recognize.importModel": ({ file }) => during("Reading the model", () => recognition.importModel(file)),
    "recognize.removeModel": ({ model }) => recognition.removeModel(model),
    "recognize.exportGallery": () => recognition.exportGallery(),
    "recognize.importGallery": ({ file }) => recognition.importGallery(file),
    "recognize.loadFinder": () => during("Loading the face finder", () => recognition.loadFinder()),
    "recognize.setLiveness": ({ file }) => during("Reading the liveness model", () => recognition.setLiveness(file)),
  };
}

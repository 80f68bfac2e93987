// The worker of src/web/decoder.ts: decodes one picture after another, and transfers the pixels with the answer.
import type { TwingradError } from "../errors.ts";
import { decodeHere } from "./decodePicture.ts";
import type { Answer, Question } from "./decoder.ts";

/** The part of a worker's global scope that is used; TypeScript has the types for pages. */
const scope = globalThis as unknown as {
  onmessage: (event: MessageEvent<Question>) => void;
  postMessage(answer: Answer, transfer?: Transferable[]): void;
};

scope.onmessage = async ({ data: { id, picture, size } }) => {
  try {
    const pixels = await decodeHere(picture, size);
    scope.postMessage({ id, pixels }, [pixels.buffer]);
  } catch (error) {
    const { code = "BAD_INPUT", message } = error as TwingradError;
    scope.postMessage({ id, error: { code, message } });
  }
};

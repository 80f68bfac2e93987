// Node without the optional packages: all but a device and pictures works, and these say what they need.
import { adam, type ErrorCode, errorCodes, fitCalibration, openDevice as openCore, siamese } from "twingrad";
import { decodePicture, openDevice } from "twingrad/node";
import { PageDecoder } from "twingrad/web";

const refusal = (work: Promise<unknown>): Promise<{ code: ErrorCode; message: string } | undefined> =>
  work.then(
    () => undefined,
    ({ code, message }) => ({ code, message }),
  );

const png = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a);
console.log(
  JSON.stringify({
    works: [
      typeof PageDecoder,
      errorCodes.length,
      siamese({ imageSize: [8, 8, 1], filters: [4], embedding: 5 }).options.embedding,
      typeof adam().name,
      typeof fitCalibration,
    ],
    device: await refusal(openDevice()),
    picture: await refusal(decodePicture(png, [8, 8, 3])),
    core: await refusal(openCore()),
  }),
);

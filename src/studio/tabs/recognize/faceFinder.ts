// The face finder @vladmandic/face-api, where the page's own host serves it: `twingrad studio` does where the package is
// installed. Nothing is loaded from elsewhere.
import type { FaceFinder } from "../../../data/detection/faceFinder.ts";
import { TwingradError } from "../../../errors.ts";
import { faceApiInPage } from "../../../web/faceFinders.ts";

export async function installedFaceFinder(): Promise<FaceFinder> {
  const folder = new URL("./face-api/", location.href).href;
  const script = `${folder}face-api.esm.js`;
  let api: Parameters<typeof faceApiInPage>[0];
  try {
    api = await import(script);
  } catch (error) {
    throw new TwingradError(
      "MISSING_PACKAGE",
      "The face finder is not installed here. Run `npm install @vladmandic/face-api` beside twingrad and start `twingrad studio` again.",
      { cause: error },
    );
  }
  return faceApiInPage(api, `${folder}model`);
}

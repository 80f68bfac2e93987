// The functions that test/web/originPrivateFolder.test.ts calls in a page.
import { originPrivateFolder } from "../../src/web/originPrivateFolder.ts";

declare global {
  var folderOf: typeof originPrivateFolder;
  /** What of an error the test can see from outside the page. */
  var failing: (
    work: () => Promise<unknown>,
  ) => Promise<{ name: string; code?: string; reason?: string; message: string }>;
}

globalThis.folderOf = originPrivateFolder;
globalThis.failing = (work) =>
  work().then(
    () => ({ name: "none", message: "nothing failed" }),
    ({ name, code, reason, message }) => ({ name, code, reason, message }),
  );

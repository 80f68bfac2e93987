// Loads the optional peer packages for Node when they are first needed.
import { TwingradError } from "../errors.ts";

/**
 * @param purpose what needs the package, as the beginning of a sentence.
 * @throws MISSING_PACKAGE with the command that installs the package, or with the reason why it does not load.
 */
export async function loadPackage<T>(name: string, purpose: string, load: () => Promise<T>): Promise<T> {
  try {
    return await load();
  } catch (error) {
    const reason = (error as Error).message;
    const why = isNotFound(error, name)
      ? `which is not installed. Install it with: npm install ${name}`
      : `which does not load here (${reason.split("\n")[0]}). Install it again for this platform with: npm install ${name}`;
    throw new TwingradError("MISSING_PACKAGE", `${purpose} needs the package "${name}", ${why}`, { cause: error });
  }
}

/** The messages of Node, Deno and Bun differ; all of them name the package. */
function isNotFound(error: unknown, name: string): boolean {
  const { code, message } = error as NodeJS.ErrnoException;
  const says = code === "ERR_MODULE_NOT_FOUND" || /cannot find (package|module)|not a dependency/i.test(message);
  return says && new RegExp(`["']${name}["']`).test(message);
}

// A process that adds to one file again and again, as others do at the same time.
import { updateFile } from "../../../src/node/files/updateFile.ts";

const [path, name, times] = process.argv.slice(2);
for (let n = 0; n < Number(times); n++) {
  await updateFile(path, async (bytes) => `${bytes ?? ""}${name} ${n}\n`);
  process.stdout.write(`${n}\n`);
}

// The commands of the command line. Parsing, help, completion and docs/cli.md derive from them.
import { Command } from "commander";
import { version } from "../internal.ts";
import { addAugment } from "./commands/augment.ts";
import { addCalibrate } from "./commands/calibrate.ts";
import { addCompletion } from "./commands/completion.ts";
import { addDemo } from "./commands/demo.ts";
import { addDevices } from "./commands/devices.ts";
import { addEnroll } from "./commands/enroll.ts";
import { addEvaluate } from "./commands/evaluate/evaluate.ts";
import { addEmbed } from "./commands/exchange/embed.ts";
import { addExport } from "./commands/exchange/export.ts";
import { addImport } from "./commands/exchange/import.ts";
import { addForget } from "./commands/forget.ts";
import { addIdentify } from "./commands/identify.ts";
import { addDraw } from "./commands/pictures/draw.ts";
import { addRecapture } from "./commands/recapture.ts";
import { addRecords } from "./commands/records.ts";
import { addStudio } from "./commands/studio.ts";
import { addTrain } from "./commands/train.ts";
import { addVerify } from "./commands/verify.ts";

export const program = new Command("twingrad")
  .description(
    "Trains Siamese networks on the GPU to recognize people from a few pictures each, including people unseen in training.",
  )
  .version(version, "-V, --version", "print the version")
  .showHelpAfterError("(see twingrad --help and twingrad COMMAND --help)")
  .exitOverride();
addDemo(program);
addDraw(program);
addTrain(program);
addEvaluate(program);
addEmbed(program);
addImport(program);
addExport(program);
addCalibrate(program);
addEnroll(program);
addVerify(program);
addIdentify(program);
addForget(program);
addAugment(program);
addRecapture(program);
addRecords(program);
addDevices(program);
addStudio(program);
addCompletion(program);

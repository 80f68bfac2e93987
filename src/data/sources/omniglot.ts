// Omniglot's one-shot runs (B. Lake et al. 2015, github.com/brendenlake/omniglot, one-shot-classification/all_runs).
// Each line of a run's class_labels.txt is a trial, "run01/test/item01.png run01/training/class07.png": a drawing, and
// the training drawing of the same character.
import { TwingradError } from "../../errors.ts";
import { readableName } from "../names.ts";
import { byNaturalOrder } from "../naturalOrder.ts";

export interface OneShotQuestion {
  probe: string;
  answer: string;
}

/** @throws CORRUPT_FILE with the line number. */
export function parseClassLabels(text: string): OneShotQuestion[] {
  const lines = text.split(/\r\n|\r|\n/);
  const questions = lines.flatMap((line, index): OneShotQuestion[] => {
    const parts = line.trim().split(/\s+/).filter(Boolean);
    if (parts.length === 0) return [];
    const safe = parts.every((path) => !path.startsWith("/") && !path.split("/").includes(".."));
    if (parts.length !== 2 || !safe) {
      throw new TwingradError(
        "CORRUPT_FILE",
        `line ${index + 1}: expected two paths below the folder of the runs, not "${line.slice(0, 100)}"`,
      );
    }
    return [{ probe: parts[0], answer: parts[1] }];
  });
  if (questions.length === 0) throw new TwingradError("CORRUPT_FILE", "the file has no trials");
  return questions;
}

/** A run's training drawings in natural order, and the position of each trial's answer among them. */
export function runTrials(
  questions: readonly OneShotQuestion[],
  training: readonly string[],
): { support: string[]; trials: { probe: string; answer: number }[] } {
  const support = [...training].sort(byNaturalOrder);
  const names = support.map(readableName);
  const trials = questions.map(({ probe, answer }) => {
    const position = names.indexOf(readableName(answer));
    if (position < 0) throw new TwingradError("CORRUPT_FILE", `${answer} is not among the run's training drawings`);
    return { probe, answer: position };
  });
  return { support, trials };
}

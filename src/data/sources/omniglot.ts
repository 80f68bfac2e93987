// Omniglot's one-shot runs (B. Lake et al. 2015, github.com/brendenlake/omniglot, one-shot-classification/all_runs): each
// run's class_labels.txt has a line for each question, "run01/test/item01.png run01/training/class07.png": a drawing, and
// which of the run's training drawings shows the same character.
import { TwingradError } from "../../errors.ts";
import { readableName } from "../names.ts";
import { byNaturalOrder } from "../naturalOrder.ts";

export interface OneShotQuestion {
  probe: string;
  answer: string;
}

/** @throws CORRUPT_FILE with the line's number. */
export function parseClassLabels(text: string): OneShotQuestion[] {
  const lines = text.split(/\r\n|\r|\n/);
  const questions = lines.flatMap((line, index): OneShotQuestion[] => {
    const parts = line.trim().split(/\s+/).filter(Boolean);
    if (parts.length === 0) return [];
    const safe = parts.every((path) => !path.startsWith("/") && !path.split("/").includes(".."));
    if (parts.length !== 2 || !safe) {
      throw new TwingradError(
        "CORRUPT_FILE",
        `line ${index + 1}: two paths below the folder of the runs were expected, not "${line.slice(0, 100)}"`,
      );
    }
    return [{ probe: parts[0], answer: parts[1] }];
  });
  if (questions.length === 0) throw new TwingradError("CORRUPT_FILE", "there is no question");
  return questions;
}

/** A run's training drawings, in the order of their names, and each question's place among them. */
export function runTrials(
  questions: readonly OneShotQuestion[],
  training: readonly string[],
): { support: string[]; trials: { probe: string; answer: number }[] } {
  const support = [...training].sort(byNaturalOrder);
  const names = support.map(readableName);
  const trials = questions.map(({ probe, answer }) => {
    const position = names.indexOf(readableName(answer));
    if (position < 0) throw new TwingradError("CORRUPT_FILE", `${answer} is none of the run's training drawings`);
    return { probe, answer: position };
  });
  return { support, trials };
}

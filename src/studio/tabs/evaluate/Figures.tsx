// The metrics for comparing networks, each with its confidence interval and an explanation.
import type { Figure, ModelEvaluation } from "../../messages.ts";
import { percent } from "../../page/words.ts";

export function Figures({ evaluation }: { evaluation: ModelEvaluation }) {
  const { auc, eer, trueAccepts, accuracy } = evaluation;
  return (
    <>
      <dl class="figures figures-wide">
        <Entry
          name="AUC (area under the ROC curve)"
          figure={auc}
          show={(value) => value.toFixed(3)}
          meaning="How often a pair of the same person (genuine) is nearer than a pair of different people (impostor). 1 is perfect, 0.5 is guessing."
        />
        <Entry
          name="Equal error rate (EER)"
          figure={eer}
          show={percent}
          meaning="The error rate at the threshold where false accepts and false rejects are equally frequent."
        />
        <Entry
          name="True accepts at 1 % false accepts"
          figure={trueAccepts}
          show={percent}
          meaning="The share of genuine pairs accepted when 1 in 100 impostor pairs is accepted (TAR at FAR 1 %)."
        />
        <div>
          <dt>Accuracy</dt>
          <dd>{percent(accuracy.value)}</dd>
          <dd class="note">standard error {percent(accuracy.standardError)}</dd>
          <dd class="note">Share of pairs classified correctly, cross-validated over groups of people.</dd>
        </div>
      </dl>
      <p class="quiet small measure">
        {auc.interval
          ? "The ranges are 95 % confidence intervals, from a thousand bootstrap resamples of the people. With few held-out people they are wide."
          : "Two held-out people are too few to say how far these figures would differ for others (no confidence intervals). Hold out more people in the Data tab."}
      </p>
    </>
  );
}

interface EntryProps {
  readonly name: string;
  readonly figure: Figure;
  readonly show: (value: number) => string;
  readonly meaning: string;
}

function Entry({ name, figure: { value, interval }, show, meaning }: EntryProps) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{show(value)}</dd>
      {interval && (
        <dd class="note">
          {show(interval[0])} to {show(interval[1])}
        </dd>
      )}
      <dd class="note">{meaning}</dd>
    </div>
  );
}

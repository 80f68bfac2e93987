// The figures that are compared between networks, each with its interval and what it means.
import type { Figure, RunEvaluation } from "../../messages.ts";
import { percent } from "../../page/words.ts";

export function Figures({ evaluation }: { evaluation: RunEvaluation }) {
  const { auc, eer, trueAccepts, accuracy } = evaluation;
  return (
    <>
      <dl class="figures figures-wide">
        <Entry
          name="Ranking (AUC)"
          figure={auc}
          show={(value) => value.toFixed(3)}
          meaning="How often a pair of one person is nearer than a pair of two. 1 is perfect, 0.5 is a guess."
        />
        <Entry
          name="Equal error rate (EER)"
          figure={eer}
          show={percent}
          meaning="The share of wrong answers where both kinds of mistake are as frequent."
        />
        <Entry
          name="Found at 1 % false accepts"
          figure={trueAccepts}
          show={percent}
          meaning="How many pairs of one person are accepted where 1 in 100 pairs of two is (true accept rate)."
        />
        <div>
          <dt>Accuracy</dt>
          <dd>{percent(accuracy.value)}</dd>
          <dd class="note">standard error {percent(accuracy.standardError)}</dd>
          <dd class="note">Pairs judged rightly, each group of people by the best threshold of the others.</dd>
        </div>
      </dl>
      <p class="quiet small measure">
        Intervals hold the true figure with a chance of 95 %: the people are drawn anew a thousand times, with all their
        pairs (bootstrap by identities). Few held-out people give wide ones.
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
      <dd class="note">
        {show(interval[0])} to {show(interval[1])}
      </dd>
      <dd class="note">{meaning}</dd>
    </div>
  );
}

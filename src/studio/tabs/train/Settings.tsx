// A few settings with good defaults; the rest is collapsed.
import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useEffect } from "preact/hooks";
import type { AugmentationName, LossName } from "../../messages.ts";
import { state } from "../../page/client.ts";
import { withoutUnsorted } from "../../worker/data/people.ts";
import { type NetworkName, networks } from "./defaults.ts";
import { augmentations, losses } from "./described.ts";
import { Preview } from "./Preview.tsx";
import { change, networkOf, settings } from "./settings.ts";

export function Settings() {
  const s = settings.value;
  const { run } = state.training.value;
  // Genuine pairs need people with two pictures.
  const people = withoutUnsorted(state.data.value.people).filter(
    ({ heldOut, pictures }) => !heldOut && pictures > 1,
  ).length;
  const open = useSignal(run === null);
  // Folded once there is a run, and of the same height from then on: what is below does not move when the run ends.
  useEffect(() => {
    if (run !== null) open.value = false;
  }, [run, open]);
  return (
    <details
      class="card"
      open={open.value}
      onToggle={({ currentTarget }) => {
        open.value = currentTarget.open;
      }}
    >
      <summary>
        <h2>Settings of the next run</h2>
      </summary>
      <div class="fields">
        <Choice
          label="Network"
          hint="A larger network can learn more from more pictures, but trains slower."
          value={networkOf(s) ?? "small"}
          options={{ small: "Small", medium: "Medium", large: "Large" }}
          onChange={(name) => change(networks[name as NetworkName])}
        />
        <Choice
          label="Picture size"
          hint="Side in pixels. Twice the side takes four times as long."
          value={String(s.imageSize)}
          options={{ 32: "32 pixels", 48: "48 pixels", 64: "64 pixels", 96: "96 pixels" }}
          onChange={(side) => change({ imageSize: Number(side) })}
        />
        <Amount
          label="Steps"
          hint="How often the network is updated, each time from a small batch of pictures."
          value={s.steps}
          least={10}
          most={1_000_000}
          onChange={(steps) => change({ steps })}
        />
        <Choice
          label="Augmentation"
          hint="Random rotation, shift, light and more, so that the network does not memorize the pictures."
          value={s.augmentation}
          options={augmentations}
          onChange={(name) => change({ augmentation: name as AugmentationName })}
        />
      </div>
      <Preview />
      <details>
        <summary>More settings</summary>
        <div class="fields">
          <Choice
            label="Loss"
            hint="How mistakes are measured in training."
            value={s.loss}
            options={losses}
            onChange={(name) => change({ loss: name as LossName, ...lossDefaults[name as LossName] })}
          />
          <Amount
            label="Learning rate"
            hint="Size of each update. Too large, and training fails."
            value={s.learningRate}
            least={0.000001}
            most={1}
            fraction
            onChange={(learningRate) => change({ learningRate })}
          />
          <Choice
            label="Schedule"
            hint="How the learning rate changes during training."
            value={s.schedule}
            options={{ cosine: "Cosine decay", constant: "Constant" }}
            onChange={(name) => change({ schedule: name as "cosine" | "constant" })}
          />
          <Amount
            label="Warmup"
            hint="Steps at the start with a smaller learning rate, since first updates are rough."
            value={s.warmUp}
            least={0}
            most={100_000}
            onChange={(warmUp) => change({ warmUp })}
          />
          <Choice
            label="Optimizer"
            value={s.optimizer}
            options={{ adam: "Adam", adamw: "AdamW" }}
            onChange={(name) => change({ optimizer: name as "adam" | "adamw" })}
          />
          <Amount
            label="People in a batch"
            hint={
              people < s.identitiesPerBatch ? `There are ${people} to train on, so it will be ${people}.` : undefined
            }
            value={s.identitiesPerBatch}
            least={2}
            most={256}
            onChange={(identitiesPerBatch) => change({ identitiesPerBatch })}
          />
          <Amount
            label="Pictures of each person"
            value={s.picturesPerIdentity}
            least={2}
            most={32}
            onChange={(picturesPerIdentity) => change({ picturesPerIdentity })}
          />
          <Amount
            label="L2 penalty"
            hint="Keeps the weights small."
            value={s.l2}
            least={0}
            most={10}
            fraction
            onChange={(l2) => change({ l2 })}
          />
          <Choice
            label="Color"
            value={String(s.channels)}
            options={{ 3: "Color", 1: "Gray" }}
            onChange={(channels) => change({ channels: channels === "1" ? 1 : 3 })}
          />
          <Amount
            label="Evaluate every"
            hint="Steps between evaluations on the held-out people; each saves a checkpoint."
            value={s.evaluateEvery}
            least={1}
            most={1_000_000}
            onChange={(evaluateEvery) => change({ evaluateEvery })}
          />
          <Amount
            label="Seed"
            hint="Of all random numbers: the same seed gives the same run."
            value={s.seed}
            least={0}
            most={2 ** 32 - 1}
            onChange={(seed) => change({ seed })}
          />
        </div>
      </details>
    </details>
  );
}

/** Learning rates that suit each loss. */
const lossDefaults: Readonly<Record<LossName, { learningRate: number }>> = {
  "supervised-contrastive": { learningRate: 0.01 },
  triplet: { learningRate: 0.003 },
  contrastive: { learningRate: 0.003 },
  "cross-entropy": { learningRate: 0.001 },
};

const idOf = (label: string) => `setting-${label.toLowerCase().replace(/[^a-z]+/g, "-")}`;

function Field({ label, hint, children }: { label: string; hint?: string; children: ComponentChildren }) {
  return (
    <div class="field">
      <label for={idOf(label)}>{label}</label>
      {children}
      {hint && (
        <p class="hint" id={`${idOf(label)}-hint`}>
          {hint}
        </p>
      )}
    </div>
  );
}

function Choice({
  label,
  hint,
  value,
  options,
  onChange,
}: {
  label: string;
  hint?: string;
  value: string;
  options: Readonly<Record<string, string>>;
  onChange: (value: string) => void;
}) {
  return (
    <Field label={label} hint={hint}>
      <select
        id={idOf(label)}
        aria-describedby={hint && `${idOf(label)}-hint`}
        value={value}
        onChange={(event) => onChange(event.currentTarget.value)}
      >
        {Object.entries(options).map(([name, text]) => (
          <option key={name} value={name}>
            {text}
          </option>
        ))}
      </select>
    </Field>
  );
}

/** @param typed empty where it is not a number. */
function invalid(typed: string, [least, most]: readonly [number, number], fraction: boolean, before: number): string {
  const range = `${fraction ? "" : "whole "}number from ${least} to ${most.toLocaleString("en")}`;
  return `${typed === "" ? "This" : typed} is not possible: enter a ${range}. It stays ${before}.`;
}

function Amount({
  label,
  hint,
  value,
  least,
  most,
  fraction = false,
  onChange,
}: {
  label: string;
  hint?: string;
  value: number;
  least: number;
  most: number;
  fraction?: boolean;
  onChange: (value: number) => void;
}) {
  const problem = useSignal<string | null>(null);
  return (
    <Field label={label} hint={hint}>
      <input
        id={idOf(label)}
        type="number"
        aria-describedby={hint && `${idOf(label)}-hint`}
        min={least}
        max={most}
        step={fraction ? "any" : 1}
        value={value}
        onChange={(event) => {
          const input = event.currentTarget;
          const number = Number(input.value);
          const valid =
            input.value !== "" && number >= least && number <= most && (fraction || Number.isInteger(number));
          problem.value = valid ? null : invalid(input.value, [least, most], fraction, value);
          if (valid) onChange(number);
          else input.value = String(value); // restores the last valid value
        }}
      />
      <p class="hint problem" aria-live="polite">
        {problem.value}
      </p>
    </Field>
  );
}
